// Text of a block of cells, as spreadsheets put it into the clipboard and take it out again.

/** Return the rows of a copied block, each cell exactly as it was written. */
function parseBlock(text) {
  const source = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const rows = [[]];
  let at = 0;
  while (at <= source.length) {
    const quoted = source[at] === '"' ? readQuoted(source, at) : null;
    const end = quoted ? quoted.end : nextBreak(source, at);
    rows.at(-1).push(quoted ? quoted.text : source.slice(at, end));
    if (source[end] === "\n") rows.push([]);
    at = end + 1;
  }
  return rows;
}

function nextBreak(source, from) {
  const found = /[\t\n]/g;
  found.lastIndex = from;
  return found.exec(source)?.index ?? source.length;
}

/** A cell stands in quotes where it holds a break or a quote; any other quote is the cell's own. */
function readQuoted(source, from) {
  const quoted = /"((?:[^"]|"")*)"(?=[\t\n]|$)/y;
  quoted.lastIndex = from;
  const found = quoted.exec(source);
  if (!found || !/[\t\n]|""/.test(found[1])) return null;
  return { text: found[1].replaceAll('""', '"'), end: from + found[0].length };
}

function writeBlock(rows) {
  const quote = (text) => (/[\t\n"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => row.map(quote).join("\t")).join("\r\n");
}

/** Spreadsheets read a table more faithfully than text: a code keeps its zeros. */
function writeTable(rows) {
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\n", "<br>");
  const cell = (text) => `<td style="mso-number-format:'\\@'">${escape(text)}</td>`;
  return `<table>${rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("")}</table>`;
}

/** Return the value of each cell of the target for a copied block, and what found no place.
 *
 * One copied cell fills what is selected, and a block repeats where it fits a whole number of times.
 */
function layOut(block, selection, size) {
  const height = block.length;
  const width = Math.max(...block.map((row) => row.length));
  const repeats = selection.height % height === 0 && selection.width % width === 0;
  const tall = repeats ? Math.max(height, selection.height) : height;
  const wide = repeats ? Math.max(width, selection.width) : width;
  const fits = { rows: Math.min(tall, size.rows - selection.top), columns: Math.min(wide, size.columns - selection.left) };
  const cells = [];
  for (let row = 0; row < fits.rows; row += 1) {
    for (let column = 0; column < fits.columns; column += 1) {
      const text = block[row % height][column % width];
      if (text !== undefined) cells.push({ row: selection.top + row, column: selection.left + column, text });
    }
  }
  return { cells, height: tall, width: wide, rowsLeft: tall - fits.rows, columnsLeft: wide - fits.columns };
}
