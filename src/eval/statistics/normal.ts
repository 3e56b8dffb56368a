// The standard normal distribution in double precision: distribution function and its inverse.

/**
 * P(Z ≤ z). Continued fraction in the tails, power series near zero; relative error below 1e-13.
 * Source: Abramowitz & Stegun, 26.2.11 and 26.2.14.
 */
export function normalCdf(z: number): number {
  if (z > 0) return 1 - normalCdf(-z);
  if (z < -38) return 0;
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return z > -3 ? 0.5 + density * series(z) : density / tailFraction(-z);
}

/** `z + z³/3 + z⁵/(3·5) + …` */
function series(z: number): number {
  let term = z;
  let sum = z;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum) && k < 400; k += 2) {
    term *= (z * z) / k;
    sum += term;
  }
  return sum;
}

/** `x + 1/(x + 2/(x + 3/(x + …)))` */
function tailFraction(x: number): number {
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / fraction;
  return fraction;
}

/** The z with P(Z ≤ z) = p, by bisection and Newton's steps; ±∞ at the ends. */
export function normalQuantile(p: number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -normalQuantile(1 - p);
  let low = -38;
  let high = 0;
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < p) low = middle;
    else high = middle;
  }
  let z = (low + high) / 2;
  for (let step = 0; step < 4; step++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    if (density > 0) z -= (normalCdf(z) - p) / density;
  }
  return z;
}
