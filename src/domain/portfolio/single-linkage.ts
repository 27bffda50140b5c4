import type { Matrix } from "./matrix.ts";

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** Prim's minimum spanning tree from item 0; each edge is noted from the item that was joined before. */
const spanningTree = (distances: Matrix): Edge[] => {
  const count = distances.length;
  const edges: Edge[] = [];
  const nearest = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const joined = new Uint8Array(count);
  let from = 0;
  for (let step = 1; step < count; step += 1) {
    joined[from] = 1;
    const row = distances[from] ?? [];
    let to = -1;
    let length = Number.POSITIVE_INFINITY;
    for (let item = 0; item < count; item += 1) {
      if (joined[item] === 1) continue;
      const distance = Math.min(nearest[item] ?? 0, row[item] ?? Number.POSITIVE_INFINITY);
      nearest[item] = distance;
      if (distance < length) {
        to = item;
        length = distance;
      }
    }
    edges.push({ from, to, length });
    from = to;
  }
  return edges;
};

/**
 * The items 0…n − 1 in the order of the leaves of their single-linkage tree: alike ones side by side. `distances` is
 * symmetric and finite.
 *
 * Clusters merge along the spanning tree's edges, shortest first; of two that merge, the one that is older (items by
 * number, then clusters by age) comes first. The order is that of SciPy's `linkage(…, "single")` and `leaves_list`,
 * ties included.
 */
export const singleLinkageOrder = (distances: Matrix): number[] => {
  const clusters = new Map(distances.map((_, item) => [item, { age: item, leaves: [item] }]));
  let age = distances.length;
  for (const { from, to } of spanningTree(distances).toSorted((a, b) => a.length - b.length)) {
    const [one, other] = [clusters.get(from), clusters.get(to)];
    if (one === undefined || other === undefined) throw new RangeError("distances are not finite numbers");
    const leaves = one.age < other.age ? [...one.leaves, ...other.leaves] : [...other.leaves, ...one.leaves];
    const merged = { age, leaves };
    for (const leaf of leaves) clusters.set(leaf, merged);
    age += 1;
  }
  return clusters.get(0)?.leaves ?? [];
};
