/** Part of every answer that a reader could act on. */
export const NOTICE = "This is not investment advice.";
