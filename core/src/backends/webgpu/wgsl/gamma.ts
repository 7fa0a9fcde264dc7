/**
 * WGSL for the error functions and the gamma family in float32. Coefficients without a source are our own: interpolation at Chebyshev nodes
 * of 40-digit values, rounded to float32, within 1.3 units of 2^-24 of the function over the interval named.
 */
export const gamma = {
  // erf(x) = x + x P(x^2) for |x| <= 1.
  h_erf_core: `fn h_erf_core(x: f32) -> f32 {
  let z = x * x;
  return x + x * (1.2837917e-1 + z * (-3.7612638e-1 + z * (1.1283782e-1 + z * (-2.686543e-2 + z * (5.2210316e-3 + z * (-8.4840803e-4 + z * (1.1265959e-4 - z * 9.667045e-6)))))));
}`,
  // erfc(x) for x >= 1/2: exp(-x^2) P(q) / (1 + 2x), q = (x-4)/(x+4) (Shepherd and Laframboise 1981). The square is taken in two parts.
  h_erfc_core: `fn h_erfc_core(x: f32) -> f32 {
  if (x > 10.2) { return 0.0; }
  let q = (x - 4.0) / (x + 4.0);
  let p = 1.2329952 + q * (-1.3962111e-1 + q * (1.5379615e-2 + q * (6.809592e-2 + q * (-1.0103967e-1 + q * (9.375649e-2 + q * (-6.6300824e-2 + q * (3.700653e-2 + q * (-1.6470728e-2 + q * 5.3413324e-3))))))));
  let h = h_head(x);
  let e = -(x - h) * (x + h);
  return (h_exp(-h * h) * (1.0 + h_expm1_core(e))) * (p / (1.0 + 2.0 * x));
}`,
  h_erf: `fn h_erf(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x)) { return x; }
  if (a < 1e-6) { return x * 1.12837917; }
  if (a < 1.0) { return h_erf_core(x); }
  return h_copysign(1.0 - h_erfc_core(a), x);
}`,
  h_erfc: `fn h_erfc(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (abs(x) < 0.5) { return 1.0 - h_erf_core(x); }
  let t = h_erfc_core(abs(x));
  return select(2.0 - t, t, x > 0.0);
}`,
  // Giles, "Approximating the erfinv function", GPU Computing Gems (2011).
  h_erfInv: `fn h_erfInv(x: f32) -> f32 {
  let a = abs(x);
  if (h_isnan(x) || a > 1.0) { return h_nan(); }
  if (a == 1.0) { return h_copysign(h_inf(), x); }
  let w = select(-h_log1p(-x * x), -h_log((1.0 - a) * (1.0 + a)), a > 0.5);
  if (w < 5.0) {
    let t = w - 2.5;
    return x * (1.50140941 + t * (0.246640727 + t * (-0.00417768164 + t * (-0.00125372503 + t * (0.00021858087 + t * (-4.39150654e-6 + t * (-3.5233877e-6 + t * (3.43273939e-7 + t * 2.81022636e-8))))))));
  }
  let t = sqrt(w) - 3.0;
  return x * (2.83297682 + t * (1.00167406 + t * (0.00943887047 + t * (-0.0076224613 + t * (0.00573950773 + t * (-0.00367342844 + t * (0.00134934322 + t * (0.000100950558 - t * 0.000200214257))))))));
}`,
  // log(gamma(x)) = (x-1)(x-2) R(x) for 0.7 <= x <= 3.
  h_lgamma_core: `fn h_lgamma_core(x: f32) -> f32 {
  if (x == 1.0) { return 0.0; }
  let f = (x - 1.0) * (x - 2.0);
  if (x < 1.6) {
    let t = x - 1.15;
    return f * (5.435781e-1 + t * (-2.0531768e-1 + t * (1.1388841e-1 + t * (-7.354687e-2 + t * (5.1318377e-2 + t * (-3.759152e-2 + t * (2.826704e-2 + t * (-2.029119e-2 + t * (1.5762305e-2 + t * (-1.9302981e-2 + t * 1.5426697e-2))))))))));
  }
  let t = x - 2.25;
  return f * (3.9958948e-1 + t * (-8.588084e-2 + t * (2.5268303e-2 + t * (-8.4642e-3 + t * (3.0420306e-3 + t * (-1.1396423e-3 + t * (4.350175e-4 + t * (-1.7686562e-4 + t * (8.365485e-5 - t * 2.8204271e-5)))))))));
}`,
  h_lgamma_positive: `fn h_lgamma_positive(x: f32) -> f32 {
  if (x < 0.7) { return h_lgamma_core(x + 1.0) - h_log(x); }
  if (x <= 3.0) { return h_lgamma_core(x); }
  if (x < 8.0) {
    var y = x;
    var p = 1.0;
    while (y > 3.0) { y = y - 1.0; p = p * y; }
    return h_lgamma_core(y) + h_log(p);
  }
  // Stirling's series.
  let z = 1.0 / x;
  let w = z * z;
  let c = z * (8.3333333e-2 + w * (-2.7777778e-3 + w * 7.9365079e-4));
  return (x - 0.5) * (h_log(x) - 1.0) + (4.1893853e-1 + c);
}`,
  // |sin(pi a)| for a >= 0; pi in two parts would not change the last bit of the small results that matter.
  h_abs_sin_pi: `fn h_abs_sin_pi(a: f32) -> f32 {
  let f = a - floor(a);
  let r = min(f, 1.0 - f);
  return select(h_cos_core((0.5 - r) * 3.14159265), h_sin_core(r * 3.14159265), r <= 0.25);
}`,
  h_lgamma: `fn h_lgamma(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (!h_isfinite(x)) { return h_inf(); }
  let u = bitcast<u32>(x) & 0x7fffffffu;
  if (u == 0u) { return h_inf(); }
  if (u < 0x32000000u) { return -h_log(bitcast<f32>(u)); }
  if (x > 0.0) { return h_lgamma_positive(x); }
  let a = -x;
  if (a == floor(a)) { return h_inf(); }
  // Reflection: gamma(x) gamma(-x) = -pi / (x sin(pi x)).
  return (1.14472989 - h_log(a * h_abs_sin_pi(a))) - h_lgamma_positive(a);
}`,
  // psi(x) = (x - x0) R(x) for 1 <= x <= 2; the root x0 in two parts. The first difference is taken in units of the last
  // place, which a compiler cannot regroup.
  h_digamma_core: `fn h_digamma_core(x: f32) -> f32 {
  let t = x - 1.5;
  let d = f32(bitcast<i32>(x) - 0x3fbb16c3) * 1.1920929e-7 - 1.2438150e-8;
  return d * (9.510559e-1 + t * (-4.236275e-1 + t * (2.4054253e-1 + t * (-1.4839886e-1 + t * (9.498469e-2 + t * (-6.205598e-2 + t * (4.085003e-2 + t * (-2.5786884e-2 + t * (1.711499e-2 + t * (-1.637362e-2 + t * 1.0902588e-2))))))))));
}`,
  h_digamma_positive: `fn h_digamma_positive(x: f32) -> f32 {
  if (x < 1.0) { return h_digamma_core(x + 1.0) - 1.0 / x; }
  if (x < 8.0) {
    var y = x;
    var s = 0.0;
    while (y > 2.0) { y = y - 1.0; s = s + 1.0 / y; }
    return h_digamma_core(y) + s;
  }
  let z = 1.0 / x;
  let w = z * z;
  return h_log(x) - (0.5 * z + w * (8.3333333e-2 + w * (-8.3333333e-3 + w * 3.968254e-3)));
}`,
  h_digamma: `fn h_digamma(x: f32) -> f32 {
  if (h_isnan(x)) { return x; }
  if (x == 0.0) { return h_copysign(h_inf(), -x); }
  if (!h_isfinite(x)) { return select(h_nan(), x, x > 0.0); }
  if (x > 0.0) { return h_digamma_positive(x); }
  let f = x - round(x);
  if (f == 0.0) { return h_nan(); }
  // Reflection: psi(1-x) - psi(x) = pi cot(pi x).
  let a = abs(f);
  let r = select((0.5 - a), a, a <= 0.25) * 3.14159265;
  let t = h_tan_core(r);
  return h_digamma_positive(1.0 - x) - h_copysign(3.14159265 * select(t, 1.0 / t, a <= 0.25), f);
}`,
};
