//! The invariants that the model watches, and which of them broke.

/// An invariant of the system; what each says stands in `docs/MODEL.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    I1,
    I2,
    I3,
    I4,
    I5,
    I6,
    I7,
    I8,
    I11,
    I15,
    I16,
    I17,
}

impl Invariant {
    /// What holds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I1 => "I1 a confirmed generation ends once the faults do",
            Self::I2 => "I2 a terminal generation never changes",
            Self::I3 => "I3 the assistant tells each end exactly once",
            Self::I4 => "I4 only newer snapshots are applied, and none to a terminal generation",
            Self::I5 => "I5 progress never falls within an attempt",
            Self::I6 => "I6 the worker comes to have the newest revision, and makes what was agreed to",
            Self::I7 => "I7 webhooks are delivered, superseded or dead, and API and job come to agree",
            Self::I8 => "I8 a webhook has one effect, however often it comes",
            Self::I11 => "I11 nobody writes without the lease",
            Self::I15 => "I15 an attempt is at most one POST",
            Self::I16 => "I16 nothing is submitted again before the grace window ends, and once at most",
            Self::I17 => "I17 accepted submissions are at most one, the failed ones and one resubmission",
        }
    }
}

/// The invariant that broke first; nothing happens in the world after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Broken(Option<Invariant>);

impl Broken {
    /// Notes a break unless `holds`.
    pub fn unless(&mut self, holds: bool, invariant: Invariant) {
        if !holds {
            self.0.get_or_insert(invariant);
        }
    }

    /// What broke.
    pub const fn what(self) -> Option<Invariant> {
        self.0
    }
}
