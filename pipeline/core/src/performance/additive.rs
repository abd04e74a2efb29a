//! Sums that can be merged and taken away exactly, so that a batch changes the tables without the calls before it being read.
//!
//! Every part is a whole number, so the order of calls, batches and machines does not matter, and taking away what was added
//! leaves what was before. A map leaves out keys whose sums are empty: equal contents are equal maps.

use std::collections::BTreeMap;

use crate::statistics::Moments;

/// Something is to be taken away that was never added: the sums are not those of the stored calls, and must be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sums do not hold what is to be taken away\nhint: make them again from all calls")]
pub struct NotHeld;

/// A commutative monoid in which what was added can be taken away.
pub trait Additive: Default + Clone + PartialEq {
    fn include(&mut self, other: &Self);

    /// [`include`](Additive::include) of what is needed no longer: nothing is copied where there was nothing.
    fn absorb(&mut self, other: Self) {
        self.include(&other);
    }

    /// # Errors
    /// [`NotHeld`]; what `self` is afterwards has no meaning.
    fn take_away(&mut self, other: &Self) -> Result<(), NotHeld>;

    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Additive for u64 {
    fn include(&mut self, other: &u64) {
        *self += other;
    }

    fn take_away(&mut self, other: &u64) -> Result<(), NotHeld> {
        *self = self.checked_sub(*other).ok_or(NotHeld)?;
        Ok(())
    }
}

impl Additive for Moments {
    fn include(&mut self, other: &Moments) {
        Moments::merge(self, other);
    }

    fn take_away(&mut self, other: &Moments) -> Result<(), NotHeld> {
        let n = self.n.checked_sub(other.n).ok_or(NotHeld)?;
        let left = Moments { n, sum: self.sum - other.sum, sum_of_squares: self.sum_of_squares - other.sum_of_squares };
        // No values have these sums: n Σx² < (Σx)², or sums of nothing.
        let possible =
            left.sum_of_squares * i128::from(n) >= left.sum * left.sum && (n > 0 || left.sum_of_squares == 0);
        *self = left;
        if possible { Ok(()) } else { Err(NotHeld) }
    }
}

impl<K: Ord + Clone, V: Additive> Additive for BTreeMap<K, V> {
    fn include(&mut self, other: &BTreeMap<K, V>) {
        for (key, value) in other.iter().filter(|(_, value)| !value.is_empty()) {
            match self.get_mut(key) {
                Some(sum) => sum.include(value),
                None => {
                    self.insert(key.clone(), value.clone());
                }
            }
        }
    }

    fn absorb(&mut self, other: BTreeMap<K, V>) {
        for (key, value) in other.into_iter().filter(|(_, value)| !value.is_empty()) {
            match self.get_mut(&key) {
                Some(sum) => sum.absorb(value),
                None => {
                    self.insert(key, value);
                }
            }
        }
    }

    fn take_away(&mut self, other: &BTreeMap<K, V>) -> Result<(), NotHeld> {
        for (key, value) in other.iter().filter(|(_, value)| !value.is_empty()) {
            let sum = self.get_mut(key).ok_or(NotHeld)?;
            sum.take_away(value)?;
            if sum.is_empty() {
                self.remove(key);
            }
        }
        Ok(())
    }
}

/// Declares a struct whose fields are all [`Additive`], and makes it so itself.
macro_rules! additive {
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$field_meta:meta])* pub $field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[$field_meta])* pub $field: $type,)*
        }

        impl $crate::performance::additive::Additive for $name {
            fn include(&mut self, other: &$name) {
                $($crate::performance::additive::Additive::include(&mut self.$field, &other.$field);)*
            }

            fn absorb(&mut self, other: $name) {
                $($crate::performance::additive::Additive::absorb(&mut self.$field, other.$field);)*
            }

            fn take_away(&mut self, other: &$name) -> Result<(), $crate::performance::additive::NotHeld> {
                $($crate::performance::additive::Additive::take_away(&mut self.$field, &other.$field)?;)*
                Ok(())
            }
        }
    };
}
pub(super) use additive;
