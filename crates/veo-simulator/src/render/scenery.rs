//! The part of a scene that never moves: sky, sun, hills or a town, water, and the prompt's words at the foot.

use std::f32::consts::TAU;

use super::canvas::{Bounds, Canvas, Colour, Point};
use super::lettering;
use super::scene::{Hour, Scene};

/// Names for the chances of each part, see [`Scene::dice`].
const STARS: u64 = 1;
const HILLS: u64 = 2;
const TOWN: u64 = 3;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas) {
    sky(scene, canvas);
    hills(scene, canvas);
    if scene.town {
        town(scene, canvas);
    }
    water(scene, canvas);
    words(scene, canvas);
}

fn sky(scene: &Scene<'_>, canvas: &mut Canvas) {
    let (palette, unit) = (scene.palette, scene.unit);
    canvas.paint(canvas.bounds(), palette.zenith, |_| 1.0);
    canvas.paint(canvas.bounds(), palette.horizon, |point| (point.y / scene.shore).clamp(0.0, 1.0).powf(1.4));

    if matches!(scene.hour, Hour::Dusk | Hour::Night) {
        let mut dice = scene.dice(STARS);
        for _ in 0..110 {
            let place = Point::new(dice.between(0.0, scene.width), dice.between(0.0, scene.shore * 0.8));
            let fading = 1.0 - place.y / scene.shore;
            canvas.disc(place, dice.between(0.6, 1.8) * unit, Colour::WHITE, fading * dice.between(0.2, 0.9));
        }
    }

    let radius = if scene.hour == Hour::Night { 38.0 } else { 52.0 } * unit;
    canvas.glow(scene.sun, radius * 8.0, palette.light, 0.34);
    canvas.glow(scene.sun, radius * 3.2, palette.light, 0.55);
    canvas.disc(scene.sun, radius, palette.light, 1.0);
    if scene.hour == Hour::Night {
        // A few craters make it a moon.
        for (x, y, size) in [(-0.35, -0.2, 0.2), (0.25, 0.3, 0.26), (0.3, -0.4, 0.14), (-0.2, 0.45, 0.12)] {
            let crater = Point::new(scene.sun.x + x * radius, scene.sun.y + y * radius);
            canvas.disc(crater, size * radius, palette.zenith, 0.10);
        }
    }
}

/// Three ridges, each nearer, darker and rougher than the one behind it.
fn hills(scene: &Scene<'_>, canvas: &mut Canvas) {
    let mut dice = scene.dice(HILLS);
    for (nearness, rise) in [(0.25, 0.26), (0.55, 0.17), (0.9, 0.08)] {
        let waves: [(f32, f32, f32); 3] = [
            (dice.between(0.8, 1.6), dice.between(0.0, TAU), 0.55),
            (dice.between(2.2, 3.8), dice.between(0.0, TAU), 0.30),
            (dice.between(5.0, 9.0), dice.between(0.0, TAU), 0.15 * nearness),
        ];
        // The outline is worked out once per half pixel column, not once per pixel.
        let outline: Vec<f32> = (0..=scene.width as usize * 2)
            .map(|half_column| {
                let way = half_column as f32 / 2.0 / (scene.unit * 1280.0);
                let wave: f32 =
                    waves.iter().map(|(turns, phase, share)| share * (way * turns * TAU + phase).sin()).sum();
                scene.shore - scene.shore * rise * (0.55 + 0.45 * wave)
            })
            .collect();
        let colour = scene.palette.horizon.mix(scene.palette.ground, nearness);
        canvas.paint(canvas.bounds(), colour, |point| {
            (point.y - outline[(point.x * 2.0) as usize] + 0.5).clamp(0.0, 1.0)
        });
    }
}

/// Houses along the shore, some of their windows lit.
fn town(scene: &Scene<'_>, canvas: &mut Canvas) {
    let mut dice = scene.dice(TOWN);
    let unit = scene.unit;
    let wall = scene.palette.ground.mix(Colour::BLACK, 0.25);
    let lamp = Colour::hsl(0.11, 0.95, 0.70);
    let lit = if scene.hour == Hour::Day { 0.12 } else { 0.42 };
    let mut left = -20.0 * unit;
    while left < scene.width {
        let width = (2.0 + dice.below(4) as f32) * 22.0 * unit + 10.0 * unit;
        let floors = 3 + dice.below(7);
        let top = scene.shore - (floors as f32 * 26.0 + 12.0) * unit;
        let house = Bounds { left, top, right: left + width, bottom: scene.shore };
        canvas.rectangle(house, wall.mix(scene.palette.horizon, dice.between(0.02, 0.16)), 1.0);
        if dice.below(3) == 0 {
            let middle = left + width / 2.0;
            let roof =
                [Point::new(middle, top - 26.0 * unit), Point::new(house.right, top), Point::new(left, top)];
            canvas.polygon(&roof, wall, 1.0);
        }
        for floor in 0..floors {
            let mut window = left + 10.0 * unit;
            while window + 12.0 * unit < house.right {
                if dice.between(0.0, 1.0) < lit {
                    let y = top + (floor as f32 * 26.0 + 10.0) * unit;
                    let pane =
                        Bounds { left: window, top: y, right: window + 11.0 * unit, bottom: y + 14.0 * unit };
                    canvas.rectangle(pane, lamp, dice.between(0.45, 0.95));
                }
                window += 22.0 * unit;
            }
        }
        left += width + dice.below(2) as f32 * 6.0 * unit;
    }
}

/// Still water from the shore to the foot of the picture; it darkens towards the viewer.
fn water(scene: &Scene<'_>, canvas: &mut Canvas) {
    let palette = scene.palette;
    let depth = scene.height - scene.shore;
    let surface = Bounds { top: scene.shore, ..canvas.bounds() };
    canvas.paint(surface, palette.horizon.mix(palette.zenith, 0.45), |_| 1.0);
    canvas.paint(surface, palette.ground.mix(Colour::BLACK, 0.45), |point| {
        ((point.y - scene.shore) / depth).clamp(0.0, 1.0).powf(0.75) * 0.95
    });
    let line = Bounds { bottom: scene.shore + 2.0 * scene.unit, ..surface };
    canvas.rectangle(line, palette.horizon, 0.5);
}

fn words(scene: &Scene<'_>, canvas: &mut Canvas) {
    let dot = 3.0 * scene.unit;
    let margin = scene.width * 0.06;
    let columns = ((scene.width - 2.0 * margin) / dot + 1.0) as usize / 6;
    let lines = lettering::wrap(scene.words, columns, if scene.width > scene.height { 2 } else { 4 });
    let mut top =
        scene.height - margin.min(60.0 * scene.unit) - lines.len() as f32 * lettering::LINE_HEIGHT * dot;
    for line in &lines {
        let left = (scene.width - lettering::width(line.len()) * dot) / 2.0;
        let shadow = Point::new(left + dot * 0.6, top + dot * 0.6);
        lettering::write(canvas, line, shadow, dot, Colour::BLACK, 0.45);
        lettering::write(canvas, line, Point::new(left, top), dot, Colour::WHITE, 0.95);
        top += lettering::LINE_HEIGHT * dot;
    }
}
