// Draw Mermaid blocks with the Mermaid that the site itself serves.
import { mermaid } from "../mermaid/index.js";

const dark = document.body.getAttribute("data-md-color-scheme") === "slate";
mermaid.initialize({ startOnLoad: false, theme: dark ? "dark" : "neutral" });
await mermaid.run({ querySelector: ".diagram" });
