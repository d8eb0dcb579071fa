//! The numbers of small values: sizes that the graph works out by itself before it asks for memory.

use super::operator::Node;
use super::shapes;
use super::value::{MOST_NUMBERS, Value, count};

impl Node<'_> {
    /// The numbers of its output, where they are few and known.
    pub(super) fn numbers_of(&self, kind: &str, shape: Option<&[u64]>) -> Option<Vec<f64>> {
        if count(shape)? > MOST_NUMBERS as u128 {
            return None;
        }
        match kind {
            "Constant" => self.constant().numbers,
            "Shape" => Some(self.shape(0)?.iter().map(|size| *size as f64).collect()),
            "Size" => Some(vec![count(self.shape(0))? as f64]),
            "Cast" | "Identity" | "Reshape" | "Squeeze" | "Unsqueeze" | "Flatten" => {
                self.numbers(0).map(<[f64]>::to_vec)
            }
            "Floor" => self.each(f64::floor),
            "Ceil" => self.each(f64::ceil),
            "Neg" => self.each(|number| -number),
            "Add" => self.pairs(|a, b| a + b),
            "Sub" => self.pairs(|a, b| a - b),
            "Mul" => self.pairs(|a, b| a * b),
            "Div" => self.pairs(|a, b| a / b),
            "Concat" => {
                let all: Option<Vec<&[f64]>> =
                    (0..self.inputs.len()).map(|at| self.numbers(at)).collect();
                Some(all?.concat())
            }
            "Gather" => {
                let data = self.numbers(0)?;
                let at = |index: &f64| {
                    let index = if *index < 0.0 {
                        index + data.len() as f64
                    } else {
                        *index
                    };
                    data.get(index as usize).copied()
                };
                self.numbers(1)?.iter().map(at).collect()
            }
            "Slice" => self.cut(),
            "ConstantOfShape" => {
                let value = self.attribute("value").and_then(|value| value.t.as_ref());
                let value = value.map_or(Some(0.0), |tensor| {
                    Value::of(tensor).numbers?.first().copied()
                });
                Some(vec![value?; count(shape)? as usize])
            }
            _ => None,
        }
    }

    fn each(&self, number: impl Fn(f64) -> f64) -> Option<Vec<f64>> {
        Some(
            self.numbers(0)?
                .iter()
                .map(|value| number(*value))
                .collect(),
        )
    }

    /// Two vectors, or a vector and a number.
    fn pairs(&self, number: impl Fn(f64, f64) -> f64) -> Option<Vec<f64>> {
        let (a, b) = (self.numbers(0)?, self.numbers(1)?);
        let length = a.len().max(b.len());
        let of = |side: &[f64], at: usize| side.get(if side.len() == 1 { 0 } else { at }).copied();
        (0..length)
            .map(|at| Some(number(of(a, at)?, of(b, at)?)))
            .collect()
    }

    /// A part of a vector, forwards.
    fn cut(&self) -> Option<Vec<f64>> {
        let data = self.numbers(0)?;
        let bound = |at: usize, name: &str| {
            let number = self
                .numbers(at)
                .map(<[f64]>::to_vec)
                .or_else(|| Some(shapes::floats(&self.ints(name)?)));
            let number = *number?.first()?;
            let length = data.len() as f64;
            Some(
                (if number < 0.0 {
                    number + length
                } else {
                    number
                })
                .clamp(0.0, length) as usize,
            )
        };
        let (start, end) = (bound(1, "starts")?, bound(2, "ends")?);
        data.get(start..end.max(start)).map(<[f64]>::to_vec)
    }

    /// The value of a Constant.
    pub(super) fn constant(&self) -> Value {
        let attribute = |name| self.attribute(name);
        if let Some(tensor) = attribute("value").and_then(|value| value.t.as_ref()) {
            return Value::of(tensor);
        }
        if let Some(number) = attribute("value_int").and_then(|value| value.i) {
            return Value::scalar(number as f64);
        }
        if let Some(number) = attribute("value_float").and_then(|value| value.f) {
            return Value::scalar(f64::from(number));
        }
        if let Some(numbers) = self.ints("value_ints") {
            return Value::vector(shapes::floats(&numbers));
        }
        let floats = attribute("value_floats").map(|value| &value.floats);
        floats.map_or_else(Value::default, |numbers| {
            Value::vector(numbers.iter().map(|number| f64::from(*number)).collect())
        })
    }
}
