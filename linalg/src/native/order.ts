import { template } from "@hessia/core/native";

/** The order that sorts d, n numbers of which few are out of place, ascending. Equal ones stay as they are. */
export const ascendingOrder = template("linalg.ascendingOrder", { n: "index", d: "pointer", order: "pointer to int32" }, "nothing", (c, { n, d, order }) => {
  c.range(0, n, (i) => {
    const value = c.let(d.load(i));
    const at = c.index(i);
    c.block((leave) => c.while(at.greater(0), () => {
      c.when(d.load(order.loadIndex(at.minus(1))).atMost(value), leave);
      order.storeIndex(order.loadIndex(at.minus(1)), at);
      at.add(-1);
    }));
    order.storeIndex(i, at);
  });
});

/** Merges the ascending orders of d[: n1] and d[n1 :], the second counted from n1, into one of all n. */
export const mergeOrders = template("linalg.mergeOrders", { n: "index", n1: "index", d: "pointer", from: "pointer to int32", to: "pointer to int32" }, "nothing", (c, { n, n1, d, from, to }) => {
  const [a, b] = [c.index(0), c.index(n1)];
  c.range(0, n, (i) => {
    const first = c.index(0);
    c.when(b.equals(n), () => first.set(1), () => c.when(a.less(n1), () => {
      c.when(d.load(from.loadIndex(a)).atMost(d.load(from.loadIndex(b).plus(n1))), () => first.set(1));
    }));
    c.when(first.differs(0), () => {
      to.storeIndex(from.loadIndex(a), i);
      a.add(1);
    }, () => {
      to.storeIndex(from.loadIndex(b).plus(n1), i);
      b.add(1);
    });
  });
});

/** The ascending order of d when d[: k] ascends. */
export const orderAll = template("linalg.orderAll", { n: "index", k: "index", d: "pointer", order: "pointer to int32", spare: "pointer to int32" }, "nothing", (c, { n, k, d, order, spare }) => {
  c.range(0, k, (i) => spare.storeIndex(i, i));
  c.call(ascendingOrder, { n: n.minus(k), d: d.at(k), order: spare.at(k) });
  c.call(mergeOrders, { n, n1: k, d, from: spare, to: order });
});
