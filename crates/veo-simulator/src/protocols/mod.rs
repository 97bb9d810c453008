//! The wire protocols that are spoken, one file each: its routes, what it finds valid, and the words of its
//! answers. A protocol turns requests into [`Submission`](crate::operations::Submission)s and
//! [`Outcome`](crate::operations::Outcome)s into answers; what happens in between is none of its business.

pub(crate) mod gemini_veo;
pub(crate) mod interactions;
pub(crate) mod tokens;
mod veo;
pub(crate) mod vertex_veo;
