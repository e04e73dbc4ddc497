-- A condition on a step was stored and evaluated nowhere: what a report must meet is a rule of its form.
ALTER TABLE workflow_step DROP COLUMN guard;
