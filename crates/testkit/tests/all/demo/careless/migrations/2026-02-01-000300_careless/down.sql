DROP FUNCTION everything();
DROP TABLE secrets;
