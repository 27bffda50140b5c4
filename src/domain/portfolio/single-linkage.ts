import type { Matrix } from "./matrix.ts";

interface Edge {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/**
 * An item, or two clusters merged; `age` is the item's number, then counts on with every merger.
 */
interface Cluster {
  readonly age: number;
  readonly parts: number | readonly [older: Cluster, younger: Cluster];
}

/**
 * Prim's minimum spanning tree from item 0; each edge is noted from the item that was joined
 * before.
 */
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
 * The items 0…n − 1 in the order of the leaves of their single-linkage tree: similar ones are
 * neighbours. `distances` is symmetric and finite.
 *
 * Clusters merge along the spanning tree's edges, shortest first; of two that merge, the one that
 * is older (items by number, then clusters by age) comes first. The order is that of SciPy's
 * `linkage(…, "single")` and `leaves_list`, ties included.
 */
export const singleLinkageOrder = (distances: Matrix): number[] => {
  const clusters = distances.map((_, item): Cluster => ({ age: item, parts: item }));
  // Of a merged cluster only the place of one of its items is kept up to date; the others lead
  // there.
  const leader = Int32Array.from(distances.keys());
  const placeOf = (item: number): number => {
    let place = item;
    while (leader[place] !== place) {
      const next = leader[place] ?? place;
      leader[place] = leader[next] ?? next;
      place = next;
    }
    return place;
  };
  let age = distances.length;
  for (const { from, to } of spanningTree(distances).toSorted((a, b) => a.length - b.length)) {
    if (to < 0) throw new RangeError("distances are not finite numbers");
    const [here, there] = [placeOf(from), placeOf(to)];
    const [one, other] = [clusters[here], clusters[there]];
    if (one === undefined || other === undefined) throw new RangeError("an edge leads to no item");
    clusters[here] = { age, parts: one.age < other.age ? [one, other] : [other, one] };
    leader[there] = here;
    age += 1;
  }
  return leavesOf(clusters[placeOf(0)]);
};

/** The items of a cluster, older parts first. */
const leavesOf = (cluster: Cluster | undefined): number[] => {
  const leaves: number[] = [];
  const waiting = cluster === undefined ? [] : [cluster];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next.parts === "number") leaves.push(next.parts);
    else waiting.push(next.parts[1], next.parts[0]);
  }
  return leaves;
};
