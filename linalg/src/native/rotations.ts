import { template } from "@hessia/core/native";

/** `sqrt(x^2 + y^2)`, without overflow or loss where squares are far from 1. */
export const hypotenuse = template("linalg.hypotenuse", { x: "real", y: "real" }, "real", (c, { x, y }) => {
  const large = c.let(x.abs().max(y.abs()));
  const length = c.let(x.times(x).plus(y.times(y)).sqrt());
  const exponent = c.dtype === "float64" ? 400 : 48;
  c.when(large.greater(2 ** exponent).or(large.less(2 ** -exponent)), () => {
    const ratio = c.let(x.abs().min(y.abs()).over(large));
    length.set(c.choose(large.equals(0), 0, large.times(ratio.times(ratio).plus(1).sqrt())));
  });
  return length;
});

/** `x = cos x - sin y, y = sin x + cos y` */
export const rotate = template("linalg.rotate", { n: "index", x: "pointer", y: "pointer", cos: "real", sin: "real" }, "nothing", (c, { n, x, y, cos, sin }) => {
  const [co, si] = [c.let(cos.lanes()), c.let(sin.lanes())];
  const [a, b] = [c.let(c.zeros()), c.let(c.zeros())];
  const [one, two] = [c.real(0), c.real(0)];
  c.sweep(n, [x, y], 2,
    ([p, q], u) => {
      a.set(p.loadLanes(u * c.lanes));
      b.set(q.loadLanes(u * c.lanes));
      p.storeLanes(co.times(a).minusProduct(si, b), u * c.lanes);
      q.storeLanes(si.times(a).plusProduct(co, b), u * c.lanes);
    },
    ([p, q]) => {
      one.set(p.load());
      two.set(q.load());
      p.store(cos.times(one).minus(sin.times(two)));
      q.store(sin.times(one).plus(cos.times(two)));
    });
});
