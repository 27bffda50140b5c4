/**
 * Where rows are read: the database itself, or a session of it, which may be a replica that has
 * seen what the session has.
 */
export type Reader = D1Database | D1DatabaseSession;
