"""Writes spreadsheets/metadata.{xlsx,xls,ods} and stray.xlsx: one metadata table as three other programs' libraries write it.

Run: python tests/oracles/spreadsheets_oracle.py   (needs openpyxl, xlwt and odfpy; the files are committed)

The table stands on the second sheet below a title, with real dates, whole numbers, a time of day, and Chinese text.
"""

import datetime
import pathlib

import openpyxl
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P

FOLDER = pathlib.Path(__file__).parent / "spreadsheets"
FOLDER.mkdir(exist_ok=True)
START = datetime.datetime(2025, 2, 19, 6, 1, 22)
DAY = datetime.datetime(2025, 3, 1)
NOTES = [["Made by the telephone team"], ["questions: extension 12"]]
CALLS = [
    ["Calls of the night"],
    [],
    ["file", "工号", "team", "start_time", "answered"],
    ["a.wav", 1017, "北区", START, datetime.time(6, 1, 30)],
    ["b.wav", 1018, "south", DAY, None],
]

book = openpyxl.Workbook()
notes = book.active
for row in NOTES:
    notes.append(row)
calls = book.create_sheet("Calls")
for row in CALLS:
    calls.append(row)
book.save(FOLDER / "metadata.xlsx")

# A cell in the last corner of the sheet, as a slip of the hand leaves it.
book = openpyxl.Workbook()
book.active.append(["file", "rep"])
book.active.append(["a.wav", "r1"])
book.active["XFD1048576"] = "x"
book.save(FOLDER / "stray.xlsx")

book = xlwt.Workbook()
notes, calls = book.add_sheet("Notes"), book.add_sheet("Calls")
for sheet, rows in ((notes, NOTES), (calls, CALLS)):
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if isinstance(value, datetime.datetime):
                sheet.write(r, c, value, xlwt.easyxf(num_format_str="yyyy-mm-dd hh:mm:ss"))
            elif isinstance(value, datetime.time):
                sheet.write(r, c, value, xlwt.easyxf(num_format_str="hh:mm:ss"))
            elif value is not None:
                sheet.write(r, c, value)
book.save(str(FOLDER / "metadata.xls"))

book = OpenDocumentSpreadsheet()
for name, rows in (("Notes", NOTES), ("Calls", CALLS)):
    sheet = Table(name=name)
    for row in rows:
        line = TableRow()
        for value in row or [None]:
            if isinstance(value, datetime.datetime):
                cell = TableCell(valuetype="date", datevalue=value.isoformat())
            elif isinstance(value, datetime.time):
                cell = TableCell(valuetype="time", timevalue=value.strftime("PT%HH%MM%SS"))
            elif isinstance(value, int):
                cell = TableCell(valuetype="float", value=value)
            elif value is None:
                cell = TableCell()
            else:
                cell = TableCell(valuetype="string")
                cell.addElement(P(text=value))
            line.addElement(cell)
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
book.save(str(FOLDER / "metadata.ods"))
