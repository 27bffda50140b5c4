/** Goes with every answer that somebody could act on. */
export const NOTICE = "This is not investment advice.";
