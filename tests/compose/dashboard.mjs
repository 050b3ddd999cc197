// Draws a Grafana dashboard of deploy/telemetry from a Prometheus, for places without a Grafana:
// tiles for `stat` panels, lines for the rest.
//
//   node tests/compose/dashboard.mjs http://127.0.0.1:9090 deploy/telemetry/grafana/dashboards/overview.json >overview.svg
//
// MINUTES (10): how far back. VARIABLES, such as service=orders: what stands for $service.
import { readFileSync } from 'node:fs';

const [prometheus, file] = process.argv.slice(2);
const minutes = Number(process.env.MINUTES ?? 10);
const variables = (process.env.VARIABLES ?? '').split(',').filter(Boolean).map((pair) => pair.split('='));
const CELL = 55;
const ROW = 38;
const COLOURS = ['#3274d9', '#e02f44', '#56a64b', '#ff9830', '#a352cc', '#00b3a4', '#8f6b46', '#666'];
const end = Math.floor(Date.now() / 1000);
const start = end - minutes * 60;

const escape = (text) => String(text).replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);
const filled = (text) => variables.reduce((all, [name, value]) => all.replaceAll(`$${name}`, value), text);

async function ask(path, parameters) {
  const answer = await fetch(`${prometheus}/api/v1/${path}?${new URLSearchParams(parameters)}`);
  const { status, data, error } = await answer.json();
  if (status !== 'success') throw new Error(`${parameters.query}: ${error}`);
  return data.result;
}

const legend = (format, labels) => format.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? '');

function shown(value, unit) {
  // A share of nothing.
  if (Number.isNaN(value)) return 'none';
  if (unit === 'percentunit') return `${(value * 100).toFixed(1)} %`;
  if (unit === 's') return value < 1 ? `${(value * 1000).toFixed(0)} ms` : `${value.toFixed(1)} s`;
  return Number.isInteger(value) ? `${value}` : value.toFixed(2);
}

async function tiles({ targets, fieldConfig }, width, height) {
  const found = [];
  for (const { expr, legendFormat } of targets) {
    for (const { metric, value } of await ask('query', { query: filled(expr) })) {
      found.push([legend(legendFormat, metric), Number(value[1])]);
    }
  }
  found.sort();
  const { steps } = fieldConfig.defaults.thresholds;
  const each = width / Math.max(found.length, 1);
  return found.map(([name, value], at) => {
    const { color } = steps.filter((step) => step.value === null || value >= step.value).at(-1);
    const fill = color === 'red' ? '#e02f44' : '#56a64b';
    return `<g transform="translate(${at * each},0)"><rect width="${each - 4}" height="${height}" rx="3" fill="${fill}"/>
      <text x="${each / 2 - 2}" y="${height / 2}" text-anchor="middle" fill="#fff" font-size="20">${value}</text>
      <text x="${each / 2 - 2}" y="${height / 2 + 18}" text-anchor="middle" fill="#fff">${escape(name)}</text></g>`;
  }).join('');
}

async function lines({ targets, fieldConfig }, width, height) {
  const series = [];
  for (const { expr, legendFormat } of targets) {
    const range = { query: filled(expr), start, end, step: Math.max(5, minutes) };
    for (const { metric, values } of await ask('query_range', range)) {
      series.push([legend(legendFormat, metric), values.map(([at, value]) => [at, Number(value)])]);
    }
  }
  const room = width - 190;
  const most = Math.max(1e-9, ...series.flatMap(([, values]) => values.map(([, value]) => value).filter(Number.isFinite)));
  const { unit } = fieldConfig.defaults;
  const drawn = series.map(([name, values], at) => {
    const points = values.filter(([, value]) => Number.isFinite(value))
      .map(([when, value]) => `${((when - start) / (end - start) * room).toFixed(1)},${(height - value / most * (height - 14)).toFixed(1)}`);
    const last = values.at(-1)[0] > end - 30 ? shown(values.at(-1)[1], unit) : 'gone';
    const colour = COLOURS[at % COLOURS.length];
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>
      <text x="${room + 8}" y="${14 + at * 15}" fill="${colour}">${escape(name).slice(0, 24)} ${last}</text>`;
  });
  return `<rect width="${room}" height="${height}" fill="#fafafa"/><text x="2" y="10" fill="#999">${shown(most, unit)}</text>${drawn.join('')}`;
}

const { title, panels } = JSON.parse(readFileSync(file, 'utf8'));
const parts = [];
for (const panel of panels) {
  const { x, y, w, h } = panel.gridPos;
  const [width, height] = [w * CELL - 16, h * ROW - 40];
  const inner = await (panel.type === 'stat' ? tiles : lines)(panel, width, height);
  parts.push(`<g transform="translate(${x * CELL + 8},${y * ROW + 50})"><rect x="-4" y="-14" width="${width + 8}" height="${height + 34}" fill="#fff" stroke="#ddd"/>
    <text y="4" font-weight="bold" font-size="13">${escape(panel.title)}</text><g transform="translate(0,12)">${inner}</g></g>`);
}
const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * ROW + 60;
console.log(`<svg xmlns="http://www.w3.org/2000/svg" width="${24 * CELL}" height="${height}" font-family="sans-serif" font-size="12">
  <rect width="100%" height="100%" fill="#f4f5f5"/><text x="8" y="24" font-size="18">${escape(title)} — the last ${minutes} minutes</text>${parts.join('\n')}</svg>`);
