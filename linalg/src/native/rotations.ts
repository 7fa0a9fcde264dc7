import { template } from "@hessia/core/native";

/** `sqrt(x^2 + y^2)` without overflow. */
export const hypotenuse = template("linalg.hypotenuse", { x: "real", y: "real" }, "real", (c, { x, y }) => {
  const large = c.let(x.abs().max(y.abs()));
  const ratio = c.let(x.abs().min(y.abs()).over(large));
  return c.choose(large.equals(0), 0, large.times(ratio.times(ratio).plus(1).sqrt()));
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
