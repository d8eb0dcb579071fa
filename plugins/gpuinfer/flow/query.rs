//! Questions from the neighbours.

use gst::prelude::*;
use gst_video::VideoCropMeta;

use super::Flow;
use crate::gpuinfer::imp::GpuInfer;
use crate::runtime::lock::lock;

impl Flow {
    /// A question from upstream that keeps its place among frames and events: it is put to downstream once all that
    /// came before it is there. Nothing can come meanwhile, as upstream waits for the answer.
    pub(in crate::gpuinfer) fn on_serialized_query(
        &self,
        imp: &GpuInfer,
        query: &mut gst::QueryRef,
    ) -> bool {
        if !self.wait_until_empty() || !imp.src().peer_query(query) {
            return false;
        }
        if let gst::QueryViewMut::Allocation(query) = query.view_mut() {
            // Boxes are for what is seen: what a sink would crop must be cropped before.
            while let Some(crop) = query.find_allocation_meta::<VideoCropMeta>() {
                query.remove_nth_allocation_meta(crop);
            }
            self.ask_for_more_buffers(query);
        }
        true
    }

    /// Adds what waits here to what upstream and downstream take.
    pub(in crate::gpuinfer) fn on_latency_query(
        &self,
        imp: &GpuInfer,
        query: &mut gst::query::Latency,
    ) -> bool {
        if !imp.sink().peer_query(query) {
            return false;
        }
        let (is_live, min, max) = query.result();
        let mut inner = lock(&self.inner);
        inner.is_live = Some(is_live);
        let budget = inner.budget.current();
        let held = if self.has_task {
            let room = inner.order.config().capacity as u32;
            budget.max(inner.budget.interval() * room)
        } else {
            budget
        };
        drop(inner);
        let clock_time =
            |duration| gst::ClockTime::try_from(duration).unwrap_or(gst::ClockTime::MAX);
        let max = max.map(|max| max.saturating_add(clock_time(held)));
        query.set(is_live, min.saturating_add(clock_time(budget)), max);
        true
    }

    fn wait_until_empty(&self) -> bool {
        loop {
            let seen = self.bell.rung();
            {
                let inner = lock(&self.inner);
                if inner.result.is_err() {
                    return false;
                }
                if inner.order.is_empty() && !inner.is_busy {
                    return true;
                }
            }
            self.bell.wait(seen, None);
        }
    }

    /// A pool that downstream offers is for frames that wait here too.
    fn ask_for_more_buffers(&self, query: &mut gst::query::Allocation) {
        let held = {
            let inner = lock(&self.inner);
            let interval = inner.budget.interval().as_secs_f64();
            let waiting = (inner.budget.current().as_secs_f64() / interval).ceil() as u32;
            waiting.clamp(1, inner.order.config().capacity as u32)
        };
        let pools: Vec<_> = query.allocation_pools().collect();
        for (at, (pool, size, min, max)) in pools.iter().enumerate() {
            let max = if *max == 0 {
                0
            } else {
                max.saturating_add(held)
            };
            let min = min.saturating_add(held);
            query.set_nth_allocation_pool(at as u32, pool.as_ref(), *size, min, max);
        }
    }
}
