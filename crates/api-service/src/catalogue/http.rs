//! The route under `/api/models`.

use actix_web::{
    get,
    web::{Data, Json},
};
use contract::Money;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::{Audio, Catalogue, Defaults, Images, Model};
use crate::app::State;

/// The route.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(models);
}

/// The models that a user may choose.
#[derive(Debug, Serialize, ToSchema)]
pub struct Models {
    /// In the order in which they are best offered.
    items: Vec<OfferedModel>,
}

/// A model: what it allows, what it takes when nothing is said, and its prices.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedModel {
    /// The provider's name, as a generation's `provider`.
    #[schema(example = "veo3")]
    provider: String,
    /// The provider's id of it, as a generation's `model`.
    #[schema(example = "veo-3.1-generate-001")]
    model: String,
    /// What people call it.
    #[schema(example = "Veo 3.1")]
    name: String,
    /// Whether it is taken when none is named.
    default: bool,
    /// The lengths in seconds that it makes.
    durations: Vec<u32>,
    /// Width to height.
    #[schema(example = json!(["16:9", "9:16"]))]
    aspect_ratios: Vec<String>,
    /// From the smallest to the largest.
    resolutions: Vec<OfferedResolution>,
    /// What it takes when nothing is said.
    defaults: Defaults,
    /// Whether there is sound.
    audio: Audio,
    /// Whether it honours a seed.
    seed: bool,
    /// Whether it takes words for what must not be seen.
    negative_prompt: bool,
    /// The longest prompt in bytes of UTF-8.
    max_prompt_bytes: usize,
    /// Which pictures a video can be made from.
    images: Images,
    /// How many seconds it usually takes.
    typical_latency_seconds: u32,
}

/// A resolution of a model.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedResolution {
    /// Its name.
    #[schema(example = "720p")]
    name: String,
    /// The lengths in seconds that it comes in.
    durations: Vec<u32>,
    /// What a second costs.
    price_per_second: Money,
}

impl Models {
    fn of(catalogue: &Catalogue) -> Self {
        let default = catalogue.default_model();
        Self { items: catalogue.offered().map(|model| OfferedModel::of(model, model == default)).collect() }
    }
}

impl OfferedModel {
    fn of(model: &Model, default: bool) -> Self {
        let resolutions = model.resolutions.iter().map(|resolution| OfferedResolution {
            name: resolution.name.clone(),
            durations: model.durations_in(resolution).to_vec(),
            price_per_second: resolution.usd_per_second.as_money(),
        });
        Self {
            provider: model.provider.clone(),
            model: model.model.clone(),
            name: model.name.clone(),
            default,
            durations: model.durations.clone(),
            aspect_ratios: model.aspect_ratios.clone(),
            resolutions: resolutions.collect(),
            defaults: model.defaults.clone(),
            audio: model.audio,
            seed: model.seed,
            negative_prompt: model.negative_prompt,
            max_prompt_bytes: model.max_prompt_bytes,
            images: model.images.clone(),
            typical_latency_seconds: model.typical_latency_seconds,
        }
    }
}

/// The models
///
/// What can be chosen as `provider` and `model` of a generation, what each allows, and what it costs. Anybody may ask.
#[utoipa::path(
    tag = "models",
    responses((status = 200, description = "The models", body = Models)),
    security(())
)]
#[get("/api/models")]
async fn models(state: Data<State>) -> Json<Models> {
    Json(Models::of(state.flow().catalogue()))
}
