// The report as one HTML file that needs nothing else: the table, and a viewer of items with picture,
// question, answer, truth and outcome, filtered in the page.
import type { Outcome } from '../outcome.ts';

export interface ViewedItem {
  readonly benchmark: string;
  readonly uid: string;
  /** `data:` addresses of small pictures. */
  readonly images: readonly string[];
  readonly question: string;
  readonly answer: string;
  readonly prediction: string;
  readonly parsed: string;
  readonly outcome: Outcome;
  /** Outcome by profile, where replies are kept. */
  readonly marks: Readonly<Record<string, string>>;
  readonly reason: string;
}

export interface PageOptions {
  readonly title: string;
  /** Head and rows of the table, as text. */
  readonly table: readonly (readonly string[])[];
  readonly notes: readonly string[];
  readonly items: readonly ViewedItem[];
  /** Items that were measured and are not in the page. */
  readonly numLeftOut: number;
}

const STYLE = `body{font:14px/1.45 system-ui,sans-serif;margin:24px auto;max-width:1100px;padding:0 16px;color:#1f2328}
table{border-collapse:collapse;width:100%}td,th{padding:4px 8px;border-bottom:1px solid #d0d7de;text-align:right}
td:first-child,th:first-child{text-align:left}tr.average td{font-weight:700;background:#f6f8fa}
form{position:sticky;top:0;background:#fff;padding:12px 0;display:flex;gap:8px;flex-wrap:wrap;border-bottom:1px solid #d0d7de}
select,input{font:inherit;padding:4px}article{display:grid;grid-template-columns:200px 1fr;gap:16px;padding:12px 0;border-bottom:1px solid #eaeef2}
article img{max-width:200px;border:1px solid #d0d7de}pre{white-space:pre-wrap;margin:4px 0;font:inherit}
b.correct{color:#1a7f37}b.wrong{color:#cf222e}b{color:#9a6700}small{color:#57606a}`;

const SCRIPT = `const items=JSON.parse(document.getElementById('items').textContent);
const form=document.querySelector('form'),list=document.getElementById('list'),count=document.getElementById('count');
const el=(tag,text,name)=>{const e=document.createElement(tag);if(text!==undefined)e.textContent=text;if(name)e.className=name;return e};
const fill=(select,values)=>{for(const v of values){const o=el('option',v);o.value=v;select.append(o)}};
fill(form.benchmark,[...new Set(items.map(i=>i.benchmark))]);fill(form.outcome,[...new Set(items.map(i=>i.outcome))]);
let shown=50;
function draw(){const words=form.words.value.toLowerCase();
const found=items.filter(i=>(!form.benchmark.value||i.benchmark===form.benchmark.value)&&(!form.outcome.value||i.outcome===form.outcome.value)
&&(!form.disputed.checked||new Set(Object.values(i.marks)).size>1)&&(!words||(i.question+' '+i.prediction+' '+i.answer).toLowerCase().includes(words)));
count.textContent=found.length+' items';list.replaceChildren();
for(const i of found.slice(0,shown)){const a=el('article'),p=el('div'),t=el('div');
for(const src of i.images){const m=el('img');m.src=src;m.alt='';p.append(m)}
t.append(el('small',i.benchmark+' · '+i.uid+' · '),el('b',i.outcome,i.outcome),el('pre',i.question));
const said=el('pre');said.append(el('small','said: '),document.createTextNode(i.prediction||'(nothing)'));
const truth=el('pre');truth.append(el('small','truth: '),document.createTextNode(i.answer));t.append(said,truth);
if(i.parsed)t.append(el('small','read as: '+i.parsed));if(i.reason)t.append(el('pre',i.reason));
const marks=Object.entries(i.marks).map(([k,v])=>k+': '+v).join(' · ');if(marks){const d=el('div');d.append(el('small',marks));t.append(d)}
a.append(p,t);list.append(a)}
if(found.length>shown){const more=el('button','more');more.onclick=()=>{shown+=50;draw()};list.append(more)}}
form.addEventListener('input',()=>{shown=50;draw()});form.addEventListener('submit',e=>e.preventDefault());draw();`;

/** Everything a model or a data set wrote goes through text nodes or escaping: none of it is run. */
export function htmlPage({ title, table, notes, items, numLeftOut }: PageOptions): string {
  const [head = [], ...rows] = table;
  const cells = (tag: string, row: readonly string[]): string =>
    row.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('');
  const body = rows.map((row) => {
    const isAverage = / average/.test(row[0] ?? '');
    return `<tr${isAverage ? ' class="average"' : ''}>${cells('td', row)}</tr>`;
  });
  const data = JSON.stringify(items).replaceAll('<', '\\u003c');
  const left =
    numLeftOut === 0 ? '' : `<p><small>${numLeftOut} more items are in samples.jsonl.</small></p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>
<h1>${escapeHtml(title)}</h1>
<table><thead><tr>${cells('th', head)}</tr></thead><tbody>${body.join('\n')}</tbody></table>
<ul>${notes.map((note) => `<li>${escapeHtml(note)}</li>`).join('')}</ul>
<h2>Items</h2>${left}
<form><select name="benchmark"><option value="">all benchmarks</option></select>
<select name="outcome"><option value="">all outcomes</option></select>
<label><input type="checkbox" name="disputed"> profiles disagree</label>
<input name="words" placeholder="words"> <span id="count"></span></form>
<div id="list"></div>
<script type="application/json" id="items">${data}</script>
<script>${SCRIPT}</script></body></html>
`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
