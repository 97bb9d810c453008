//! Settings from environment variables. Each area declares a struct with [`settings!`](crate::settings!);
//! the declaration is also what `--help` prints.
//!
//! Any variable can be given as a file: `NAME_FILE=/run/secrets/name`. Variables are read through a lookup
//! function, never set, so tests and the launcher can hand in their own.

use std::{
    collections::HashMap,
    fmt,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use contract::signing::Secrets;
use url::Url;

/// A setting that is missing or malformed. The message names the variable and never its value, which may be
/// a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// It must be given and is not.
    #[error("{0} is not set ({0}_FILE may name a file that holds it)")]
    Missing(&'static str),
    /// Its value is not of the form that is needed.
    #[error("{name} is malformed: {reason}")]
    Malformed {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The file that should hold it cannot be read.
    #[error("{name}_FILE: cannot read {path}: {reason}")]
    Unreadable {
        /// The variable.
        name: &'static str,
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
}

/// What `--help` says of one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable {
    /// The variable's name.
    pub name: &'static str,
    /// What it sets, from the field's documentation.
    pub about: &'static str,
    /// The value that holds if it is not given.
    pub default: Option<&'static str>,
    /// Whether the start is refused without it.
    pub required: bool,
}

/// Renders the variables of several areas for `--help`.
#[must_use]
pub fn help(areas: &[&[Variable]]) -> String {
    use fmt::Write as _;
    let mut text =
        String::from("Settings (environment variables; NAME_FILE names a file that holds the value):\n");
    for variable in areas.iter().copied().flatten() {
        let note = match (variable.default, variable.required) {
            (Some(default), _) if !default.is_empty() => format!(" [default: {default}]"),
            (_, true) => " [required]".to_owned(),
            _ => String::new(),
        };
        let _ = write!(text, "\n  {}{note}\n         {}\n", variable.name, variable.about.trim());
    }
    text
}

/// Where variables come from.
#[derive(Clone)]
pub struct Environment {
    lookup: Lookup,
    live: Arc<Mutex<Vec<Refresh>>>,
}

type Lookup = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;
type Refresh = Box<dyn Fn() -> Result<bool, SettingError> + Send + Sync>;

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// Variables from a map.
    #[must_use]
    pub fn from_map(map: HashMap<String, String>) -> Self {
        Self::new(move |name| map.get(name).cloned())
    }

    fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { lookup: Arc::new(lookup), live: Arc::default() }
    }

    /// The text of a variable, or of the file that `NAME_FILE` names. An empty value counts as absent.
    pub fn text(&self, name: &'static str) -> Result<Option<String>, SettingError> {
        if let Some(path) = self.file(name) {
            return read_file(name, &path).map(Some);
        }
        Ok((self.lookup)(name).filter(|text| !text.is_empty()))
    }

    fn file(&self, name: &'static str) -> Option<PathBuf> {
        (self.lookup)(&format!("{name}_FILE")).filter(|path| !path.is_empty()).map(PathBuf::from)
    }

    /// A variable's value, if it is given.
    pub fn optional<T: Setting>(&self, name: &'static str) -> Result<Option<T>, SettingError> {
        self.text(name)?.map(|text| parse(name, &text)).transpose()
    }

    /// A variable's value, or the default's.
    pub fn or_default<T: Setting>(&self, name: &'static str, default: &str) -> Result<T, SettingError> {
        match self.text(name)? {
            Some(text) => parse(name, &text),
            None => parse(name, default),
        }
    }

    /// A variable's value, which must be given.
    pub fn required<T: Setting>(&self, name: &'static str) -> Result<T, SettingError> {
        self.optional(name)?.ok_or(SettingError::Missing(name))
    }

    /// A value that follows its file: when `NAME_FILE` gave it, [`Environment::refresh`] reads it again.
    pub fn live<T: Setting + PartialEq + Send + Sync + 'static>(
        &self,
        name: &'static str,
    ) -> Result<Live<T>, SettingError> {
        self.optional_live(name)?.ok_or(SettingError::Missing(name))
    }

    /// A value that follows its file likewise, if it is given.
    pub fn optional_live<T: Setting + PartialEq + Send + Sync + 'static>(
        &self,
        name: &'static str,
    ) -> Result<Option<Live<T>>, SettingError> {
        let Some(value) = self.optional::<T>(name)? else { return Ok(None) };
        let live = Live(Arc::new(RwLock::new(Arc::new(value))));
        if let Some(path) = self.file(name) {
            let cell = live.clone();
            let refresh: Refresh = Box::new(move || {
                let value: T = parse(name, &read_file(name, &path)?)?;
                let changed = *cell.current() != value;
                if changed {
                    *cell.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
                }
                Ok(changed)
            });
            self.live.lock().unwrap_or_else(PoisonError::into_inner).push(refresh);
        }
        Ok(Some(live))
    }

    /// Reads the files of all live values again. Says how many changed; a file that cannot be read or
    /// parsed keeps its old value and is an error of its own.
    #[must_use]
    pub fn refresh(&self) -> (usize, Vec<SettingError>) {
        let mut changed = 0;
        let mut errors = Vec::new();
        for refresh in self.live.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            match refresh() {
                Ok(true) => changed += 1,
                Ok(false) => {}
                Err(error) => errors.push(error),
            }
        }
        (changed, errors)
    }
}

fn read_file(name: &'static str, path: &Path) -> Result<String, SettingError> {
    std::fs::read_to_string(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(
        |error| SettingError::Unreadable {
            name,
            path: path.display().to_string(),
            reason: error.to_string(),
        },
    )
}

fn parse<T: Setting>(name: &'static str, text: &str) -> Result<T, SettingError> {
    T::parse(text.trim()).map_err(|reason| SettingError::Malformed { name, reason })
}

/// A value that may change while the service runs.
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Live<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.current().fmt(f)
    }
}

impl<T> Live<T> {
    /// A value that stays as it is.
    pub fn fixed(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value now.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A text that must not be shown. Its `Debug` form hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden")
    }
}

/// A type that a variable's text can be read as.
pub trait Setting: Sized {
    /// Reads the text; the error says what form is needed and does not repeat the text.
    fn parse(text: &str) -> Result<Self, String>;
}

macro_rules! from_str_settings {
    ($($kind:ty: $form:literal),* $(,)?) => {$(
        impl Setting for $kind {
            fn parse(text: &str) -> Result<Self, String> {
                text.parse().map_err(|_| concat!("must be ", $form).to_owned())
            }
        }
    )*};
}

from_str_settings! {
    u16: "a whole number from 0 to 65535",
    u32: "a whole number",
    u64: "a whole number",
    usize: "a whole number",
    i32: "a whole number",
    i64: "a whole number",
    SocketAddr: "an address and port, for example 127.0.0.1:8080",
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl Setting for Hidden {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::new(text))
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }
}

impl Setting for bool {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("must be true or false".to_owned()),
        }
    }
}

impl Setting for Url {
    fn parse(text: &str) -> Result<Self, String> {
        let url = Url::from_str(text).map_err(|error| format!("must be a URL ({error})"))?;
        if matches!(url.scheme(), "http" | "https") && url.has_host() {
            Ok(url)
        } else {
            Err("must be an http or https URL".to_owned())
        }
    }
}

impl Setting for Secrets {
    fn parse(text: &str) -> Result<Self, String> {
        Secrets::parse(text).map_err(|error| error.to_string())
    }
}

impl<T: Setting> Setting for Vec<T> {
    /// Comma-separated; empty entries are passed over.
    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(T::parse).collect()
    }
}

impl Setting for Duration {
    /// A number and a unit: `250ms`, `30s`, `10m`, `75h`, `7d`.
    fn parse(text: &str) -> Result<Self, String> {
        let form = || "must be a number and a unit: 250ms, 30s, 10m, 75h or 7d".to_owned();
        let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(form)?;
        let number: f64 = text[..split].trim().parse().map_err(|_| form())?;
        let unit = match &text[split..] {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => return Err(form()),
        };
        Duration::try_from_secs_f64(number * unit).map_err(|_| form())
    }
}

/// Declares an area of settings: a struct whose fields say which variable they come from.
///
/// ```
/// foundation::settings! {
///     /// Where the service listens.
///     pub struct HttpSettings {
///         /// Address and port.
///         pub bind: std::net::SocketAddr = or_default("API_BIND", "127.0.0.1:8080"),
///         /// Where metrics are served.
///         pub metrics: Option<std::net::SocketAddr> = optional("METRICS_BIND"),
///     }
/// }
/// # use foundation::settings::Environment;
/// let settings = HttpSettings::read(&Environment::from_map([].into())).unwrap();
/// assert_eq!(settings.bind.port(), 8080);
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $(
                $(#[doc = $about:literal])+
                pub $field:ident: $kind:ty = $how:ident($variable:literal $(, $default:literal)?),
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $($(#[doc = $about])+ #[doc = concat!("\n\nVariable: `", $variable, "`.")] pub $field: $kind,)*
        }

        impl $name {
            /// What `--help` says of this area.
            pub const VARIABLES: &'static [$crate::settings::Variable] = &[$(
                $crate::settings::Variable {
                    name: $variable,
                    about: concat!($($about),+),
                    default: $crate::__first!($($default)?),
                    required: $crate::__is_required!($how),
                },
            )*];

            /// Reads the area; the first missing or malformed variable is the error.
            pub fn read(environment: &$crate::settings::Environment) -> Result<Self, $crate::settings::SettingError> {
                Ok(Self { $($field: environment.$how($variable $(, $default)?)?,)* })
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __first {
    () => {
        None
    };
    ($value:literal) => {
        Some($value)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __is_required {
    (required) => {
        true
    };
    (live) => {
        true
    };
    ($other:ident) => {
        false
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::settings! {
        /// For the tests.
        pub struct Sample {
            /// Where to listen.
            pub bind: SocketAddr = or_default("SAMPLE_BIND", "127.0.0.1:1"),
            /// Who may ask.
            pub origins: Vec<Url> = or_default("SAMPLE_ORIGINS", ""),
            /// What for.
            pub reason: Option<String> = optional("SAMPLE_REASON"),
            /// What nobody may know.
            pub secrets: Live<Secrets> = live("SAMPLE_SECRETS"),
        }
    }

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn environment(entries: &[(&str, &str)]) -> Environment {
        Environment::from_map(entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn values_come_from_variables_or_defaults() {
        let sample = Sample::read(&environment(&[
            ("SAMPLE_SECRETS", SECRET),
            ("SAMPLE_ORIGINS", "http://a.example, http://b.example"),
            ("SAMPLE_REASON", ""),
        ]))
        .unwrap();
        assert_eq!(sample.bind, "127.0.0.1:1".parse().unwrap());
        assert_eq!(sample.origins.len(), 2);
        assert_eq!(sample.reason, None);
    }

    #[test]
    fn what_is_wrong_is_named_and_not_shown() {
        let missing = Sample::read(&environment(&[])).unwrap_err();
        assert_eq!(missing, SettingError::Missing("SAMPLE_SECRETS"));
        let malformed = Sample::read(&environment(&[("SAMPLE_SECRETS", "hunter2")])).unwrap_err().to_string();
        assert!(malformed.contains("SAMPLE_SECRETS") && !malformed.contains("hunter2"), "{malformed}");
        let unreadable =
            Sample::read(&environment(&[("SAMPLE_SECRETS_FILE", "/nowhere/at-all")])).unwrap_err();
        assert!(unreadable.to_string().contains("/nowhere/at-all"));
    }

    #[test]
    fn a_secret_in_a_file_can_be_rotated() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("{SECRET}\n")).unwrap();
        let environment = environment(&[("SAMPLE_SECRETS_FILE", file.path().to_str().unwrap())]);
        let sample = Sample::read(&environment).unwrap();
        assert_eq!(environment.refresh(), (0, vec![]));
        std::fs::write(file.path(), OTHER).unwrap();
        assert_eq!(environment.refresh(), (1, vec![]));
        assert_eq!(*sample.secrets.current(), Secrets::parse(OTHER).unwrap());
        std::fs::write(file.path(), "broken").unwrap();
        let (changed, errors) = environment.refresh();
        assert_eq!((changed, errors.len()), (0, 1));
        assert_eq!(*sample.secrets.current(), Secrets::parse(OTHER).unwrap());
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in
            [("250ms", 250), ("30s", 30_000), ("1.5m", 90_000), ("75h", 270_000_000), ("7d", 604_800_000)]
        {
            assert_eq!(<Duration as Setting>::parse(text), Ok(Duration::from_millis(millis)));
        }
        for text in ["30", "s", "", "-1s", "1w", "NaNs"] {
            assert!(<Duration as Setting>::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn help_names_every_variable() {
        let text = help(&[Sample::VARIABLES]);
        for expected in ["SAMPLE_BIND [default: 127.0.0.1:1]", "SAMPLE_SECRETS [required]", "Who may ask."] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
