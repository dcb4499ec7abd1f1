-- Only members of staff have their operations counted; an owner's stay out of the index that the counting uses.
DROP INDEX operation_by_actor;
CREATE INDEX operation_by_staff ON operation (actor, requested_at) WHERE actor_role <> 'subscriber';
