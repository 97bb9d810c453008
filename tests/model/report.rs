//! Runs a check, and says how far it went and what it found.

use std::{collections::BTreeMap, time::Instant};

use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    action::{Action, System},
    bounds::Bounds,
    defect::Defect,
    invariant::Invariant,
};

/// Explores everything within the bounds; no invariant may break, and every sight must be seen.
pub fn check(bounds: Bounds) {
    let began = Instant::now();
    let checker = System::new(bounds, Defect::None).checker().threads(2).spawn_bfs().join();
    println!(
        "{}: {} states, {} unique, depth {}, {:.1} s",
        bounds.name,
        checker.state_count(),
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed().as_secs_f64()
    );
    for (name, path) in checker.discoveries() {
        if name.starts_with('I') {
            println!("BROKEN: {name}\n{}", shown(&path.into_actions()));
        }
    }
    checker.assert_properties();
}

/// With this fault in it the system must break this invariant, and no other within as few steps.
pub fn caught(bounds: Bounds, defect: Defect, breaks: Invariant) {
    let mut shortest = BTreeMap::new();
    let mut deepest = usize::MAX;
    // The checker stops soon after the first find, which need not be of the shortest: so it looks again, less
    // deep each time.
    while let Some((found, steps)) = find(bounds, defect, deepest) {
        (shortest, deepest) = (found, steps);
    }
    println!("{defect:?}, after {deepest} steps:");
    for (name, actions) in &shortest {
        println!("{name}\n{}", shown(actions));
    }
    let names: Vec<_> = shortest.into_keys().collect();
    assert_eq!(names, [breaks.name()], "what {defect:?} breaks");
}

/// What breaks within fewer steps than `before`: the shortest ways there by what they break, and how many steps
/// they have.
fn find(
    bounds: Bounds,
    defect: Defect,
    before: usize,
) -> Option<(BTreeMap<&'static str, Vec<Action>>, usize)> {
    let builder = System::new(bounds, defect).checker().finish_when(HasDiscoveries::AnyFailures);
    // It counts worlds, one more than steps, and does not look at the last.
    let checker = builder.target_max_depth(before.saturating_add(1)).spawn_bfs().join();
    let found = checker.discoveries().into_iter().filter(|(name, _)| name.starts_with('I'));
    let found: BTreeMap<_, _> = found.map(|(name, path)| (name, path.into_actions())).collect();
    let steps = found.values().map(Vec::len).min()?;
    Some((found.into_iter().filter(|(_, actions)| actions.len() == steps).collect(), steps))
}

/// Actions, numbered.
fn shown(actions: &[Action]) -> String {
    let lines =
        actions.iter().enumerate().map(|(number, action)| format!("  {:>2}. {action:?}\n", number + 1));
    lines.collect()
}
