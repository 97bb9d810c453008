//! How often somebody may ask: by user for what costs us something, by address and by account for signing in.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use contract::UserId;
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use crate::{
    error::{AppError, AppResult},
    settings::RateSettings,
};

/// The limits of this replica.
#[derive(Debug)]
pub struct Limits {
    messages: Limit<UserId>,
    generations: Limit<UserId>,
    uploads: Limit<UserId>,
    status: Limit<UserId>,
    requests: Limit<UserId>,
    addresses: Limit<IpAddr>,
    guesses: Limit<String>,
}

#[derive(Debug)]
struct Limit<K: Clone + Eq + Hash>(DefaultKeyedRateLimiter<K>);

impl<K: Clone + Eq + Hash> Limit<K> {
    fn check(&self, key: &K) -> AppResult<()> {
        self.0
            .check_key(key)
            .map_err(|refusal| AppError::rate_limited(refusal.wait_time_from(DefaultClock::default().now())))
    }

    /// Forgets who has not asked for a while.
    fn tidy(&self) {
        self.0.retain_recent();
        self.0.shrink_to_fit();
    }
}

/// So many in a `period`, all at once if one likes. Zero counts as one.
fn limit<K: Clone + Eq + Hash>(most: u32, period: Duration) -> Limit<K> {
    let most = NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN);
    let every = (period / most.get()).max(Duration::from_nanos(1));
    // A quota is nothing only for a period of nothing.
    let quota = Quota::with_period(every).unwrap_or(Quota::per_second(most));
    Limit(RateLimiter::dashmap(quota.allow_burst(most)))
}

impl Limits {
    /// Limits after these settings.
    #[must_use]
    pub fn new(settings: &RateSettings) -> Self {
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        Self {
            messages: limit(settings.messages_per_minute, minute),
            generations: limit(settings.generations_per_minute, minute),
            uploads: limit(settings.uploads_per_minute, minute),
            status: limit(settings.status_per_second, second),
            requests: limit(settings.requests_per_second, second),
            addresses: limit(settings.sign_ins_per_minute, minute),
            guesses: limit(settings.guesses_per_minute, minute),
        }
    }

    /// A user says something.
    pub fn message(&self, user: &UserId) -> AppResult<()> {
        self.messages.check(user)
    }

    /// A user asks for a video beside the chat, or for one once more.
    pub fn generation(&self, user: &UserId) -> AppResult<()> {
        self.generations.check(user)
    }

    /// A user uploads a picture.
    pub fn upload(&self, user: &UserId) -> AppResult<()> {
        self.uploads.check(user)
    }

    /// A user reads a generation's status.
    pub fn status(&self, user: &UserId) -> AppResult<()> {
        self.status.check(user)
    }

    /// A user asks anything else.
    pub fn request(&self, user: &UserId) -> AppResult<()> {
        self.requests.check(user)
    }

    /// Somebody at this address signs up or in.
    pub fn signing_in(&self, address: IpAddr) -> AppResult<()> {
        self.addresses.check(&household(address))
    }

    /// Somebody tries a password of this account.
    pub fn guessing(&self, email: &str) -> AppResult<()> {
        self.guesses.check(&email.trim().to_lowercase())
    }

    /// Forgets who has not asked for a while; to be called now and then.
    pub fn tidy(&self) {
        self.messages.tidy();
        self.generations.tidy();
        self.uploads.tidy();
        self.status.tidy();
        self.requests.tidy();
        self.addresses.tidy();
        self.guesses.tidy();
    }
}

/// With IPv6 one customer has a whole /64.
fn household(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits::new(&RateSettings {
            messages_per_minute: 2,
            generations_per_minute: 1,
            uploads_per_minute: 1,
            status_per_second: 20,
            requests_per_second: 20,
            sign_ins_per_minute: 1,
            guesses_per_minute: 1,
        })
    }

    #[test]
    fn the_limit_is_each_users_own() {
        let (limits, one, other) = (limits(), UserId::new(), UserId::new());
        assert!(limits.message(&one).is_ok() && limits.message(&one).is_ok());
        assert_eq!(limits.message(&one).unwrap_err().code(), "rate_limited");
        assert!(limits.message(&other).is_ok());
        assert!((0..20).all(|_| limits.status(&one).is_ok()));
        limits.tidy();
        assert!(limits.message(&one).is_err(), "what is recent is not forgotten");
    }

    #[test]
    fn what_costs_us_something_is_counted_apart() {
        let (limits, user) = (limits(), UserId::new());
        assert!(limits.message(&user).is_ok() && limits.message(&user).is_ok());
        assert!(limits.message(&user).is_err());
        for count in [Limits::generation, Limits::upload] {
            assert!(count(&limits, &user).is_ok(), "what was said takes nothing of it");
            assert_eq!(count(&limits, &user).unwrap_err().code(), "rate_limited");
        }
    }

    #[test]
    fn a_household_counts_as_one() {
        let limits = limits();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for (text, allowed) in [
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", false),
            ("192.0.2.2", true),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
            ("2001:db8:0:1::1", true),
        ] {
            assert_eq!(limits.signing_in(address(text)).is_ok(), allowed, "{text}");
        }
    }

    #[test]
    fn guesses_are_counted_by_account_however_it_is_written() {
        let limits = limits();
        assert!(limits.guessing("a@b.c").is_ok());
        assert!(limits.guessing(" A@b.C").is_err());
    }
}
