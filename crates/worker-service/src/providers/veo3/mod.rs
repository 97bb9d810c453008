//! Google Veo, in whichever of its two shapes the settings name: as the [Gemini API](gemini) speaks it, or on
//! [Vertex](vertex) if `VEO3_VERTEX_PROJECT` is set.

pub mod gemini;
mod token;
pub mod vertex;
pub mod vertex_wire;
pub mod wire;

use std::sync::Arc;

use foundation::settings::{Environment, SettingError, Variable};

use super::{
    Provider, ProviderSettings,
    hook::{self, Hook},
};

/// The name in commands and settings.
pub const NAME: &str = "veo3";

/// The variables of both shapes.
pub(super) const VARIABLES: &[&[Variable]] =
    &[gemini::Settings::VARIABLES, vertex::Settings::VARIABLES, hook::VEO3];

/// The client of the shape that the settings name.
pub(super) fn make(
    environment: &Environment,
    common: &ProviderSettings,
) -> Result<Arc<dyn Provider>, SettingError> {
    let vertex = vertex::Settings::read(environment)?;
    if let Some(project) = vertex.project.clone() {
        return Ok(Arc::new(vertex::Vertex::new(&project, vertex, environment, common)?));
    }
    let hook = Hook::veo3(environment, common)?;
    Ok(Arc::new(gemini::Gemini::new(gemini::Settings::read(environment)?, hook, common)))
}
