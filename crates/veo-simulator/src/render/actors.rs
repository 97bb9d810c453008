//! The part of a scene that moves: the traveller, the weather, glints on the water, and a line at the foot
//! that grows from the first picture to the last. All of it is a function of the time alone.

use std::f32::consts::TAU;

use super::canvas::{Bounds, Canvas, Colour, Point};
use super::scene::{Hour, Scene, Traveller, Weather};

/// Names for the chances of each part, see [`Scene::dice`].
const GLINTS: u64 = 11;
const LANTERNS: u64 = 12;
const BALLOONS: u64 = 13;
const WEATHER: u64 = 14;

pub(super) fn draw(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    glints(scene, canvas, time);
    match scene.traveller {
        Traveller::Boat => boat(scene, canvas, time),
        Traveller::Balloons => balloons(scene, canvas, time),
        Traveller::Lanterns => lanterns(scene, canvas, time),
    }
    match scene.weather {
        Weather::Clear => {}
        Weather::Rain => rain(scene, canvas, time),
        Weather::Snow => snow(scene, canvas, time),
    }
    let done = Bounds {
        left: 0.0,
        top: scene.height - 6.0 * scene.unit,
        right: scene.width * time / scene.seconds,
        bottom: scene.height,
    };
    canvas.rectangle(done, scene.palette.accent, 0.9);
}

/// The sun's broken reflection, a column of strokes that swell and shrink.
fn glints(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let mut dice = scene.dice(GLINTS);
    for row in 0..9u8 {
        let way = (f32::from(row) + 0.6) / 9.0;
        let sway = (time * 0.4 * TAU + f32::from(row) * 1.7).sin();
        let half = scene.unit * (16.0 + 60.0 * way) * (0.6 + 0.4 * sway) * dice.between(0.6, 1.2);
        let x = scene.sun.x + scene.unit * (dice.between(-14.0, 14.0) + 8.0 * way * sway);
        let y = scene.shore + (scene.height - scene.shore) * way * 0.62;
        let width = scene.unit * (1.5 + 3.0 * way);
        let opacity = 0.62 * (1.0 - 0.65 * way);
        canvas.stroke(Point::new(x - half, y), Point::new(x + half, y), width, scene.palette.light, opacity);
    }
}

/// A folded paper boat that crosses the water, and its reflection.
fn boat(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let size = scene.unit * 1.5;
    let x = scene.width * (0.20 + 0.60 * time / scene.seconds);
    let water_line = scene.shore + (scene.height - scene.shore) * 0.27;
    let bob = (time * 0.45 * TAU).sin() * 4.0 * size;
    let tilt = (time * 0.45 * TAU + 1.1).sin() * 0.06;
    let (sin, cos) = tilt.sin_cos();
    // `flip` is 1 for the boat itself and -1 for its image in the water.
    let place = |(along, up): (f32, f32), flip: f32| {
        let (right, down) = (along * cos - up * sin, along * sin + up * cos);
        Point::new(x + right * size, water_line + flip * (down * size + bob - 14.0 * size))
    };
    let paper = Colour::WHITE.mix(scene.palette.horizon, 0.12);
    let folds: [(&[(f32, f32)], f32); 4] = [
        (&[(-33.0, 2.0), (0.0, -58.0), (0.6, 8.0)], 0.06),
        (&[(0.0, -58.0), (33.0, 2.0), (0.0, 8.0)], 0.26),
        (&[(-84.0, -20.0), (0.6, 4.0), (0.6, 30.0), (-46.0, 30.0)], 0.0),
        (&[(0.0, 4.0), (84.0, -20.0), (46.0, 30.0), (0.0, 30.0)], 0.17),
    ];
    for (flip, opacity) in [(-1.0, 0.20), (1.0, 1.0)] {
        for (fold, shade) in folds {
            let corners: Vec<Point> = fold.iter().map(|corner| place(*corner, flip)).collect();
            canvas.polygon(&corners, paper.mix(scene.palette.ground, shade), opacity);
        }
    }
    for (ring, reach) in [(0.0, 64.0), (1.0, 88.0), (2.0, 112.0)] {
        let swell = (time * 0.45 * TAU - ring).sin() * 8.0;
        let y = water_line + (18.0 + ring * 9.0) * size;
        let half = (reach + swell) * size;
        let (from, to) = (Point::new(x - half, y), Point::new(x + half, y));
        canvas.stroke(from, to, 1.8 * size, scene.palette.horizon, 0.34 - 0.09 * ring);
    }
}

/// Hot-air balloons, the farther the smaller and paler.
fn balloons(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let mut dice = scene.dice(BALLOONS);
    for (number, size) in [(0.0f32, 0.42), (1.0, 0.62), (2.0, 1.15)] {
        let size = size * scene.unit;
        let lane = scene.width * (0.15 + 0.62 * ((number * 0.37 + dice.between(0.0, 1.0)) % 1.0));
        let x = lane + (time / scene.seconds - 0.5) * size * 150.0;
        let y =
            scene.shore * dice.between(0.30, 0.52) + (time * 0.22 * TAU + number * 2.0).sin() * 10.0 * size;
        let haze = 0.40 - 0.20 * number;
        let cloth = scene.palette.accent.mix(scene.palette.horizon, haze);
        let stripe = scene.palette.contrast.mix(scene.palette.horizon, haze);
        let dark = scene.palette.ground.mix(scene.palette.horizon, haze);

        let at = |right: f32, down: f32| Point::new(x + right * size, y + down * size);
        for side in [-1.0, 1.0] {
            canvas.stroke(at(side * 34.0, 74.0), at(side * 13.0, 122.0), 1.6 * size, dark, 1.0);
        }
        let skirt = [at(-58.0, 46.0), at(58.0, 46.0), at(20.0, 96.0), at(-20.0, 96.0)];
        canvas.polygon(&skirt, cloth.mix(Colour::BLACK, 0.18), 1.0);
        for (share, colour) in [(1.0, cloth), (0.66, stripe), (0.30, cloth)] {
            canvas.ellipse(at(0.0, 0.0), (76.0 * share * size, 80.0 * size), colour, 1.0);
        }
        let basket = Bounds {
            left: x - 15.0 * size,
            top: y + 118.0 * size,
            right: x + 15.0 * size,
            bottom: y + 140.0 * size,
        };
        canvas.rectangle(basket, dark, 1.0);
    }
}

/// Paper lanterns that rise with the warm air.
fn lanterns(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let mut dice = scene.dice(LANTERNS);
    let flame = Colour::hsl(0.12, 1.0, 0.82);
    let paper = Colour::hsl(0.07, 0.95, 0.60).mix(scene.palette.accent, 0.22);
    for number in 0..11u8 {
        let size = scene.unit * (0.55 + 0.08 * f32::from(number));
        let column = (f32::from(number) * 0.618 + dice.between(0.0, 0.12)) % 1.0;
        let sway = (time * 0.2 * TAU + f32::from(number)).sin() * 12.0 * size;
        let x = scene.width * (0.06 + 0.88 * column) + sway;
        let y = scene.shore * dice.between(0.34, 0.98) - time * 15.0 * size;
        let flicker = 0.85 + 0.15 * (time * 1.3 * TAU + f32::from(number) * 2.3).sin();

        let at = |down: f32| Point::new(x, y + down * size);
        canvas.glow(at(0.0), 70.0 * size, paper, 0.55 * flicker);
        canvas.ellipse(at(0.0), (17.0 * size, 22.0 * size), paper, 0.95);
        canvas.glow(at(10.0), 26.0 * size, flame, flicker);
        let foot = Bounds {
            left: x - 9.0 * size,
            top: y + 19.0 * size,
            right: x + 9.0 * size,
            bottom: y + 23.0 * size,
        };
        canvas.rectangle(foot, scene.palette.ground, 0.8);
    }
}

fn rain(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let mut dice = scene.dice(WEATHER);
    let colour = Colour::WHITE.mix(scene.palette.horizon, 0.4);
    for _ in 0..70 {
        let speed = dice.between(0.9, 1.4);
        let fallen = (dice.between(0.0, 1.0) + time * speed) % 1.0;
        let length = 26.0 * scene.unit * speed;
        let top = Point::new(
            dice.between(0.0, 1.1) * scene.width - fallen * 0.1 * scene.height,
            fallen * scene.height,
        );
        let tip = Point::new(top.x - length * 0.1, top.y + length);
        canvas.stroke(top, tip, 1.4 * scene.unit, colour, 0.34);
    }
}

fn snow(scene: &Scene<'_>, canvas: &mut Canvas, time: f32) {
    let mut dice = scene.dice(WEATHER);
    let opacity = if scene.hour == Hour::Day { 0.95 } else { 0.8 };
    for number in 0..70u8 {
        let speed = dice.between(0.07, 0.16);
        let fallen = (dice.between(0.0, 1.0) + time * speed) % 1.0;
        let sway = (time * 0.3 * TAU + f32::from(number)).sin() * 14.0 * scene.unit;
        let place = Point::new(dice.between(0.0, 1.0) * scene.width + sway, fallen * scene.height);
        canvas.disc(place, dice.between(1.5, 4.2) * scene.unit, Colour::WHITE, opacity);
    }
}
