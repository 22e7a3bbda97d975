* An SPSS file as another program writes it, for tests/reference/test_spss_pspp.py; own data.
*   cd tests/reference && pspp make_spss.sps
* Writes spss_pspp.sav beside this script (PSPP 1.6.2).
SET LOCALE='UTF-8'.
DATA LIST LIST /id (F8.0) sat (F2.0) agree (F1.0) city (A20) amount (DOLLAR10.2) day (DATE11) at (TIME8)
  many (F3.0) kind (A3).
BEGIN DATA.
1 7 1 "北京" 12.5 01-JAN-2026 10:30:00 5 "a"
2 98 5 "Paris" -1 02-FEB-2026 11:00:00 3 "ZZZ"
3 99 9 "Oslo" 3 . 12:00:00 -5 "b"
4 1 2 "" . 03-MAR-2026 . . "a"
END DATA.
VARIABLE LABELS sat '满意度：总体' /agree "I agree".
VALUE LABELS sat 1 'low' 7 'high' 98 'dk' 99 'na'
  /agree 1 'no' 2 'rather no' 3 'so so' 4 'rather yes' 5 'yes' 9 'n/a'
  /kind 'a' 'first' 'b' 'second' 'ZZZ' 'missing'.
MISSING VALUES sat (98 THRU 99) /agree (9) /many (LO THRU -1) /kind ('ZZZ').
VARIABLE LEVEL sat agree (ORDINAL) /amount many (SCALE) /city kind (NOMINAL).
DOCUMENT This file was written by PSPP.
SAVE OUTFILE='spss_pspp.sav'.
