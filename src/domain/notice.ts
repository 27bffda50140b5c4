/** Goes with every answer that somebody could act on. */
export const NOTICE = "Computed from past prices; not investment advice.";
