-- Departments bring back the workbooks of their own rows.
UPDATE upload_use SET roles = roles || '{department}' WHERE use = 'workbook';
