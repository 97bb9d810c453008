//! Which pictures a model takes, for what, and together with what.

use contract::{ImageInput, ImageRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Model;
use crate::intent::{
    Language,
    words::{Words, fill},
};

/// Which pictures a model takes. One that says nothing takes none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Images {
    /// One that the video begins with.
    pub first_frame: bool,
    /// Beside that, one that it ends with.
    pub last_frame: bool,
    /// How many that show what shall be in it.
    pub references: usize,
    /// Whether those go together with a first or last frame.
    pub references_with_frames: bool,
    /// The lengths in seconds that a video made from those comes in, where not every length of the model is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference_durations: Option<Vec<u32>>,
}

impl Model {
    /// What of these pictures the model does not take, alone or together, each with a sentence in a user's language
    /// that says what it does.
    #[must_use]
    pub fn check_images(&self, language: Language, images: &[ImageInput]) -> Vec<String> {
        let count = |role| images.iter().filter(|image| image.role == role).count();
        let [first, last, references] =
            [ImageRole::FirstFrame, ImageRole::LastFrame, ImageRole::Reference].map(count);
        let (takes, words) = (&self.images, Words::of(language));
        let mut wrong = Vec::new();
        let mut check = |is_wrong: bool, text: &str| {
            if is_wrong {
                wrong.push(fill(text, &[("model", &self.name), ("n", &takes.references)]));
            }
        };
        check(first > 0 && !takes.first_frame, &words.takes_no_first_frame);
        check(first > 1, &words.one_first_frame);
        check(last > 0 && !takes.last_frame, &words.takes_no_last_frame);
        check(last > 1, &words.one_last_frame);
        check(last > 0 && takes.last_frame && first == 0, &words.last_frame_needs_first);
        let too_many = match takes.references {
            0 => &words.takes_no_references,
            _ => &words.takes_few_references,
        };
        check(references > takes.references, too_many);
        check(
            references > 0 && first + last > 0 && takes.references > 0 && !takes.references_with_frames,
            &words.references_or_frames,
        );
        wrong
    }

    /// The lengths that a video made from these pictures comes in.
    #[must_use]
    pub fn durations_from(&self, images: &[ImageInput]) -> &[u32] {
        let has_references = images.iter().any(|image| image.role == ImageRole::Reference);
        let of_references = self.images.reference_durations.as_deref().filter(|_| has_references);
        of_references.unwrap_or(&self.durations)
    }

    /// Whether the model's own data about pictures fits together with the rest.
    pub(super) fn consistent_images(&self) -> Result<(), String> {
        let Images { first_frame, last_frame, reference_durations, .. } = &self.images;
        if *last_frame && !first_frame {
            return Err("it takes a last frame without a first".to_owned());
        }
        let Some(lengths) = reference_durations else { return Ok(()) };
        let fits = |allowed: &[u32]| lengths.iter().any(|length| allowed.contains(length));
        if !lengths.iter().all(|length| self.durations.contains(length))
            || !self.resolutions.iter().all(|resolution| fits(self.durations_in(resolution)))
        {
            return Err("from reference pictures it comes in lengths that it does not make".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use contract::{Parameters, UploadId};

    use super::super::Catalogue;
    use super::*;

    fn images(roles: &[ImageRole]) -> Vec<ImageInput> {
        roles.iter().map(|role| ImageInput { upload_id: UploadId::new(), role: *role }).collect()
    }

    #[test]
    fn what_does_not_go_together_is_told_with_what_does() {
        use ImageRole::{FirstFrame as First, LastFrame as Last, Reference};
        let catalogue = Catalogue::built_in();
        let veo = catalogue.find("veo3", "veo-3.1-generate-001").unwrap();
        for (roles, says) in [
            (&[][..], None),
            (&[First], None),
            (&[First, Last], None),
            (&[Reference, Reference, Reference], None),
            (&[First, First], Some("Only one picture can be the first")),
            (&[Last], Some("A last frame needs a first")),
            (&[First, Last, Last], Some("Only one picture can be the last")),
            (&[Reference; 4], Some("at most 3 reference pictures")),
            (&[First, Reference], Some("not both")),
        ] {
            let wrong = veo.check_images(Language::English, &images(roles));
            assert_eq!(wrong.len(), usize::from(says.is_some()), "{roles:?}: {wrong:?}");
            assert!(says.is_none_or(|says| wrong[0].contains(says)), "{wrong:?}");
        }
        let none = Model { images: Images::default(), ..veo.clone() };
        for role in [First, Last, Reference] {
            assert!(
                none.check_images(Language::English, &images(&[role]))[0].contains("takes no"),
                "{role:?}"
            );
        }
    }

    #[test]
    fn from_references_a_video_comes_in_their_lengths() {
        let catalogue = Catalogue::built_in();
        let mut veo = catalogue.find("veo3", "veo-3.1-generate-001").unwrap().clone();
        let from = |roles, duration| Parameters { images: images(roles), duration, ..Parameters::default() };
        let wrong = veo.check(&from(&[ImageRole::Reference], Some(4)));
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].field, "parameters.duration");
        assert!(wrong[0].message.contains("8 seconds"), "{}", wrong[0].message);
        assert!(veo.check(&from(&[ImageRole::FirstFrame], Some(4))).is_empty());
        assert_eq!(veo.check(&from(&[ImageRole::LastFrame], None))[0].field, "parameters.images");
        veo.defaults.duration = 4;
        assert_eq!(veo.fill_defaults(from(&[ImageRole::Reference], None)).duration, Some(8));
        assert_eq!(veo.fill_defaults(from(&[ImageRole::FirstFrame], None)).duration, Some(4));
    }
}
