-- 21 and no window were what a portfolio said whose maker had said nothing; 21 of months are 21 months.
UPDATE portfolios SET optimization = json_set(optimization, '$.walkForward.step', NULL)
WHERE optimization ->> '$.walkForward.step' = 21 AND optimization ->> '$.walkForward.window' IS NULL;
