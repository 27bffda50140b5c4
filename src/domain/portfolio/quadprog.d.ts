/**
 * quadprog ships no types. Its arrays count from 1, as in Fortran: index 0 of every list and row is
 * never read.
 */
declare module "quadprog" {
  interface Quadprog {
    /**
     * Minimises ½xᵀDx − dᵀx with Aᵀx ≥ b, the first `equalities` of them with =. Overwrites all its
     * arguments. `message` is empty when it went well; `Lagrangian` holds one multiplier per
     * constraint.
     */
    solveQP(
      D: number[][],
      d: number[],
      A: number[][],
      b: number[],
      equalities: number,
    ): { readonly solution: number[]; readonly Lagrangian: number[]; readonly message: string };
  }
  const quadprog: Quadprog;

  export = quadprog;
}
