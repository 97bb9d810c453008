//! What a message wants, read by built-in rules.

/// A parameter that was named in a way that leaves open which value is meant: two lengths in one message, a
/// length between two, a resolution nobody makes. It becomes a question, never a guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclear {
    /// Which parameter.
    pub parameter: Parameter,
    /// The words that named it.
    pub named: String,
}

/// The parameters of which a message can name a value that needs a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The length.
    Duration,
    /// Width to height.
    AspectRatio,
    /// The size of the picture.
    Resolution,
    /// The seed.
    Seed,
}
