//! Gaussian mixtures with diagonal covariances: one for everybody by expectation–maximisation, one per speaker by adapting
//! its means (maximum a posteriori).

use super::FEATURES;

/// Features that say which sound it is.
const SOUND: usize = FEATURES - 1;

const COMPONENTS: usize = 16;
const ROUNDS: usize = 8;
/// How many frames a component must see before it is half the speaker's own.
const RELEVANCE: f64 = 12.0;
const LEAST_VARIANCE: f64 = 0.05;

#[derive(Clone, Debug)]
pub struct Mixture {
    components: Vec<Component>,
}

#[derive(Clone, Debug)]
struct Component {
    weight: f64,
    mean: [f64; FEATURES],
    variance: [f64; FEATURES],
    /// ln(weight) − ½ Σ ln(2π·variance).
    offset: f64,
}

impl Component {
    fn new(weight: f64, mean: [f64; FEATURES], variance: [f64; FEATURES]) -> Component {
        let logs: f64 = variance[..SOUND].iter().map(|v| libm::log(std::f64::consts::TAU * v)).sum();
        Component { weight, mean, variance, offset: libm::log(weight.max(1e-9)) - 0.5 * logs }
    }

    fn log_density(&self, frame: &[f32; FEATURES]) -> f64 {
        let mut sum = 0.0;
        for ((value, mean), variance) in frame[..SOUND].iter().zip(&self.mean).zip(&self.variance) {
            let away = f64::from(*value) - mean;
            sum += away * away / variance;
        }
        self.offset - 0.5 * sum
    }
}

/// Sums over frames of one component's share.
#[derive(Clone)]
struct Share {
    count: f64,
    sum: [f64; FEATURES],
    square: [f64; FEATURES],
}

impl Mixture {
    /// Grows by splitting every component along its widest feature, so that nothing is random.
    pub fn of<'a>(frames: impl Iterator<Item = &'a [f32; FEATURES]>) -> Mixture {
        let frames: Vec<&[f32; FEATURES]> = frames.collect();
        let mut mixture = Mixture { components: vec![Component::new(1.0, [0.0; FEATURES], [1.0; FEATURES])] };
        mixture.improve(&frames);
        while mixture.components.len() < COMPONENTS {
            let split = |c: &Component| {
                let widest = (0..SOUND).fold(0, |best, i| if c.variance[i] > c.variance[best] { i } else { best });
                [-0.5, 0.5].map(|side| {
                    let mut mean = c.mean;
                    mean[widest] += side * libm::sqrt(c.variance[widest]);
                    Component::new(c.weight / 2.0, mean, c.variance)
                })
            };
            mixture.components = mixture.components.iter().flat_map(split).collect();
            for _ in 0..ROUNDS / 2 {
                mixture.improve(&frames);
            }
        }
        for _ in 0..ROUNDS {
            mixture.improve(&frames);
        }
        mixture
    }

    pub fn log_likelihood(&self, frame: &[f32; FEATURES]) -> f64 {
        let mut densities = [f64::NEG_INFINITY; COMPONENTS];
        self.densities(frame, &mut densities)
    }

    /// Fills the log-densities of the components; → their sum's logarithm.
    fn densities(&self, frame: &[f32; FEATURES], out: &mut [f64; COMPONENTS]) -> f64 {
        let mut highest = f64::NEG_INFINITY;
        for (value, component) in out.iter_mut().zip(&self.components) {
            *value = component.log_density(frame);
            highest = highest.max(*value);
        }
        let sum: f64 = out[..self.components.len()].iter().map(|v| libm::exp(v - highest)).sum();
        highest + libm::log(sum)
    }

    fn shares<'a>(&self, frames: impl Iterator<Item = &'a [f32; FEATURES]>) -> Vec<Share> {
        let empty = Share { count: 0.0, sum: [0.0; FEATURES], square: [0.0; FEATURES] };
        let mut shares = vec![empty; self.components.len()];
        let mut densities = [f64::NEG_INFINITY; COMPONENTS];
        for frame in frames {
            let total = self.densities(frame, &mut densities);
            for (share, density) in shares.iter_mut().zip(&densities) {
                let part = libm::exp(density - total);
                if part < 1e-4 {
                    continue;
                }
                share.count += part;
                for ((sum, square), value) in share.sum.iter_mut().zip(&mut share.square).zip(frame) {
                    let value = f64::from(*value);
                    *sum += part * value;
                    *square += part * value * value;
                }
            }
        }
        shares
    }

    fn improve(&mut self, frames: &[&[f32; FEATURES]]) {
        let shares = self.shares(frames.iter().copied());
        for (component, share) in self.components.iter_mut().zip(&shares) {
            if share.count < 5.0 {
                continue;
            }
            let mean = share.sum.map(|v| v / share.count);
            let variance =
                std::array::from_fn(|i| (share.square[i] / share.count - mean[i] * mean[i]).max(LEAST_VARIANCE));
            *component = Component::new(share.count / frames.len() as f64, mean, variance);
        }
    }

    /// The same with means that lean towards what is heard in these frames.
    pub fn adapted_to<'a>(&self, frames: impl Iterator<Item = &'a [f32; FEATURES]>) -> Mixture {
        let shares = self.shares(frames);
        let adapted = |(component, share): (&Component, &Share)| {
            let own = share.count / (share.count + RELEVANCE);
            let mean =
                std::array::from_fn(|i| own * share.sum[i] / share.count.max(1e-9) + (1.0 - own) * component.mean[i]);
            Component::new(component.weight, mean, component.variance)
        };
        Mixture { components: self.components.iter().zip(&shares).map(adapted).collect() }
    }
}
