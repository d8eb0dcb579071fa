//! What a network found in one picture.

use super::detection::Detection;

/// What one picture came to. Kept and filled again and again, it asks for no memory once it has grown.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// Objects in pixels of the frame, surest first.
    pub objects: Vec<Detection>,
    /// What the picture as a whole is, surest first; of classifiers.
    pub classes: Vec<Class>,
    /// The outputs as they are, where nobody is to make sense of them. Those beyond `tensors_used` are spare.
    tensors: Vec<NamedTensor>,
    tensors_used: usize,
    /// Why this picture could not be looked at; the others of its batch were.
    pub failure: Option<String>,
}

/// A class and how sure the network is of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Class {
    /// Its number, counted from 0.
    pub class: usize,
    /// 0 to 1.
    pub confidence: f32,
}

/// An output as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedTensor {
    /// As the model calls it.
    pub name: String,
    /// Without the batch.
    pub shape: Vec<usize>,
    /// In row-major order.
    pub data: Vec<f32>,
}

impl Found {
    /// Nothing found; the memory stays.
    pub fn clear(&mut self) {
        self.objects.clear();
        self.classes.clear();
        self.tensors_used = 0;
        self.failure = None;
    }

    /// The outputs as they are.
    pub fn tensors(&self) -> &[NamedTensor] {
        &self.tensors[..self.tensors_used]
    }

    /// Adds an output as it is.
    pub fn add_tensor(&mut self, name: &str, shape: &[usize], data: &[f32]) {
        if self.tensors.len() == self.tensors_used {
            self.tensors.push(NamedTensor::default());
        }
        let tensor = &mut self.tensors[self.tensors_used];
        self.tensors_used += 1;
        tensor.name.clear();
        tensor.name.push_str(name);
        tensor.shape.clear();
        tensor.shape.extend_from_slice(shape);
        tensor.data.clear();
        tensor.data.extend_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cleared_one_has_nothing_and_is_filled_again() {
        let mut found = Found::default();
        found.objects.push(Detection::default());
        found.add_tensor("a", &[2], &[1.0, 2.0]);
        found.add_tensor("b", &[1], &[3.0]);
        assert_eq!(found.tensors().len(), 2);
        found.clear();
        assert_eq!(found.tensors(), []);
        found.add_tensor("c", &[1, 1], &[4.0]);
        assert_eq!(found.tensors().len(), 1);
        let only = &found.tensors()[0];
        let seen = (only.name.as_str(), &only.shape[..], &only.data[..]);
        assert_eq!(seen, ("c", &[1, 1][..], &[4.0][..]));
        assert!(found.objects.is_empty());
    }
}
