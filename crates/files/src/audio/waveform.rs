//! Loudness over time, in a fixed number of points.

use super::POINTS;

/// Energies of equal short parts.
pub(super) struct Waveform {
    /// Samples (of one channel) in a part.
    part: usize,
    energies: Vec<f64>,
    sum: f64,
    filled: usize,
    skip: usize,
}

impl Waveform {
    /// Parts of a hundredth of a second, after the first `skip` samples.
    pub(super) fn new(sample_rate: u32, skip: usize) -> Self {
        let part = usize::try_from(sample_rate / 100).unwrap_or(1).max(1);
        Self {
            part,
            energies: Vec::new(),
            sum: 0.0,
            filled: 0,
            skip,
        }
    }

    /// Takes samples from −1 to 1, `channels` of them at a time.
    pub(super) fn feed(&mut self, samples: impl Iterator<Item = f32>, channels: usize) {
        let channels = channels.max(1);
        let mut together = 0.0;
        for (at, sample) in samples.enumerate() {
            together += f64::from(sample) * f64::from(sample);
            if (at + 1).is_multiple_of(channels) {
                self.one(together);
                together = 0.0;
            }
        }
    }

    fn one(&mut self, energy: f64) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.sum += if energy.is_finite() { energy } else { 0.0 };
        self.filled += 1;
        if self.filled == self.part {
            self.energies.push(self.sum);
            self.sum = 0.0;
            self.filled = 0;
        }
    }

    /// The points; `None` when there was no sound at all to draw.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if self.filled > 0 {
            self.energies.push(self.sum);
        }
        let parts = self.energies.len();
        if parts == 0 {
            return None;
        }
        let points: Vec<f64> = (0..POINTS)
            .map(|point| {
                let start = point * parts / POINTS;
                let end = ((point + 1) * parts)
                    .div_ceil(POINTS)
                    .clamp(start + 1, parts.max(start + 1));
                let slice = self.energies.get(start..end).unwrap_or_default();
                let length = f64::from(u32::try_from(slice.len().max(1)).unwrap_or(u32::MAX));
                (slice.iter().sum::<f64>() / length).sqrt()
            })
            .collect();
        let loudest = points.iter().copied().fold(0.0, f64::max);
        Some(points.into_iter().map(|point| level(point, loudest)).collect())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 255"
)]
fn level(value: f64, most: f64) -> u8 {
    if most > 0.0 {
        (value / most * 255.0).round().clamp(0.0, 255.0) as u8
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_louder_rises_to_the_top() {
        let mut waveform = Waveform::new(8000, 0);
        waveform.feed(
            (0_u16..16_000).map(|at| f32::from(at) / 16_000.0 * if at % 2 == 0 { 1.0 } else { -1.0 }),
            1,
        );
        let points = waveform.finish().unwrap();
        assert_eq!(points.len(), POINTS);
        assert!(
            points.is_sorted() && points[99] == 255 && points[0] <= 3,
            "{points:?}"
        );
    }

    #[test]
    fn a_blink_has_a_hundred_points_too_and_silence_is_flat() {
        let mut waveform = Waveform::new(8000, 2);
        waveform.feed([0.0; 5].into_iter(), 1);
        assert_eq!(waveform.finish(), Some(vec![0; POINTS]));
        assert_eq!(Waveform::new(8000, 0).finish(), None);
    }
}
