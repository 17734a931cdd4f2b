// Filter the table of the catalog. Without this script the page is a plain table.
const rows = [...document.querySelectorAll("tr:has([data-languages])")].map((row) => {
  const { languages, names, dims, megabytes } = row.querySelector("[data-languages]").dataset;
  return {
    row,
    text: row.textContent.toLowerCase(),
    cells: [...row.cells].map((cell) => cell.textContent.trim()),
    languages: languages.split(" "),
    names: names.split(";"),
    dims: dims.split(" "),
    megabytes: megabytes.split(" "),
  };
});
if (rows.length) addFilter(rows[0].row.closest("table"));

function addFilter(table) {
  const column = Object.fromEntries([...table.tHead.rows[0].cells].map((cell, i) => [cell.textContent, i]));
  const languages = new Map(rows.flatMap((row) => row.languages.map((code, i) => [code, row.names[i] || code])));
  const form = document.createElement("form");
  form.className = "catalog-filter";
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Filter the catalog");
  form.innerHTML = `
    <label>Text<input type="search" name="text" placeholder="wikipedia" autocomplete="off"></label>
    <label>Language<input type="search" name="language" placeholder="de, German" list="languages" autocomplete="off"></label>
    <datalist id="languages">${options([...languages].sort())}</datalist>
    <label>Dimensions${select("dim", sorted(rows.flatMap((row) => row.dims)))}</label>
    <label>Download, at most MB<input type="number" name="size" min="0" step="any" placeholder="500"></label>
    <label>Case${select("case", ["cased", "uncased"])}</label>
    <label>License${select("license", sorted(rows.map((row) => row.cells[column.license])))}</label>
    <p><output aria-live="polite"></output> <button type="reset">Clear</button></p>`;
  (table.closest(".md-typeset__scrollwrap") ?? table).before(form);
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (form.elements[name]) form.elements[name].value = value;
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter)); // the fields are empty after the event
  filter();

  function filter() {
    const wanted = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
    const language = wanted.language?.trim().toLowerCase();
    const speaks = (code) =>
      languages.has(language) ? code === language : languages.get(code).toLowerCase().startsWith(language);
    const fits = (row) => (dim, i) =>
      (!wanted.dim || dim === wanted.dim) && (!wanted.size || parseFloat(row.megabytes[i]) <= Number(wanted.size));
    let count = 0;
    for (const row of rows) {
      row.row.hidden = !(
        (wanted.text ?? "").toLowerCase().split(/\s+/).every((word) => row.text.includes(word)) &&
        (!language || row.languages.some(speaks)) &&
        row.dims.some(fits(row)) &&
        (!wanted.case || row.cells[column.case] === wanted.case) &&
        (!wanted.license || row.cells[column.license] === wanted.license)
      );
      count += !row.row.hidden;
    }
    form.querySelector("output").value = `${count} of ${rows.length} rows`;
    // A filtered catalog has an address.
    const query = new URLSearchParams(wanted).toString();
    history.replaceState(null, "", `${location.pathname}${query && `?${query}`}${location.hash}`);
  }
}

function sorted(values) {
  return [...new Set(values)].sort((one, other) => one - other || one.localeCompare(other));
}

function options(labels) {
  return [...labels].map(([value, label]) => `<option value="${value}">${label}</option>`).join("");
}

function select(name, values) {
  return `<select name="${name}">${options([["", "any"], ...values.map((value) => [value, value])])}</select>`;
}
