// Copies what the pages use out of node_modules into the package, so that the console serves every asset itself
// (Content-Security-Policy 'self'). Run by `npm run assets`; the target is git-ignored, nothing fetched is committed.
import { copyFileSync, mkdirSync, rmSync, writeFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, 'vigla_console', 'web', 'static', 'vendor');

// [file in node_modules, name it is served under]
const ASSETS = [
  ['@digigov/css/dist/digigov.css', 'digigov.css'],
  ['htmx.org/dist/htmx.min.js', 'htmx.min.js'],
  ['htmx.org/dist/ext/hx-csp.min.js', 'hx-csp.min.js'],
  ['htmx.org/LICENSE', 'htmx.LICENSE.txt'],
  ['uplot/dist/uPlot.iife.min.js', 'uplot.min.js'],
  ['uplot/dist/uPlot.min.css', 'uplot.min.css'],
  ['uplot/LICENSE', 'uplot.LICENSE.txt'],
  ...['greek', 'latin'].flatMap((script) => [400, 700].map((weight) => {
    const file = `roboto-${script}-${weight}-normal.woff2`;
    return [`@fontsource/roboto/files/${file}`, file];
  })),
  ['@fontsource/roboto/LICENSE', 'roboto.LICENSE.txt'],
];

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
for (const [from, to] of ASSETS) copyFileSync(join(here, 'node_modules', from), join(target, to));

// The versions that are served, shown in the page footer's licenses list.
const packages = ['@digigov/css', '@fontsource/roboto', 'htmx.org', 'uplot'];
const versions = packages.map((name) => {
  const { version, license } = JSON.parse(readFileSync(join(here, 'node_modules', name, 'package.json'), 'utf8'));
  return { name, version, license };
});
writeFileSync(join(target, 'versions.json'), `${JSON.stringify(versions, null, 2)}\n`);
console.log(`${ASSETS.length} assets in vigla_console/web/static/vendor`);
