-- What the filing of a village does thousands of times before a deadline.

-- A workflow is kept in memory like the form it belongs to.
CREATE TRIGGER workflow_step_told AFTER INSERT OR UPDATE OR DELETE ON workflow_step
   FOR EACH STATEMENT EXECUTE FUNCTION tell_change('forms');
