// Runs a Python program in Pyodide, with the project's folder at /project: node pyodide.mjs PYODIDE PROJECT PROGRAM
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [pyodide, project, program] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${pyodide}/pyodide.mjs`));
const python = await loadPyodide();
python.FS.mkdirTree("/project");
python.mountNodeFS("/project", project);
try {
  python.runPython(readFileSync(program, "utf8"));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
