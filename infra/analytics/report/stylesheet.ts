import { cssColours } from './palette.ts';

export const STYLESHEET = `
:root{color-scheme:light dark;${cssColours('light')}}
@media (prefers-color-scheme:dark){:root{${cssColours('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
header,main,footer{max-width:86rem;margin:0 auto;padding:0 clamp(.6rem,2.5vw,2rem)}
header{padding-top:clamp(1.2rem,4vw,2.6rem)}
h1{margin:0;font-size:clamp(1.5rem,4vw,2.1rem);line-height:1.2;letter-spacing:-.015em}
header p span{display:inline-block;overflow-wrap:anywhere}
header p,footer{color:var(--muted)}
header p{margin:.35rem 0 0}
header p:last-child{margin-bottom:1.4rem}
aside{margin:0 0 1.1rem;padding:.9rem 1.15rem;background:var(--surface);border:1px solid var(--line);border-left:5px solid var(--amber);border-radius:12px}
aside ul{margin:.4rem 0 0;padding-left:1.1rem}
aside li{overflow-wrap:anywhere}
footer{padding-block:1.6rem 2.4rem;font-size:.87rem}
dl{display:flex;flex-wrap:wrap;gap:1px;margin:0 0 1.1rem;background:var(--line);border:1px solid var(--line);border-radius:12px;overflow:hidden}
dl div{flex:1 0 calc(100%/var(--columns) - 1px);padding:.8rem 1rem .75rem;background:var(--surface)}
dt,.note{font-size:.82rem;color:var(--muted)}
dd{margin:0}
.value{font-size:1.55rem;line-height:1.3;font-weight:650;letter-spacing:-.01em;font-variant-numeric:tabular-nums;white-space:nowrap}
.cards{display:grid;grid-auto-flow:dense;grid-template-columns:repeat(auto-fill,minmax(min(100%,24rem),1fr));gap:1.1rem}
section{display:flex;flex-direction:column;min-width:0;padding:1.1rem 1.15rem .5rem;background:var(--surface);border:1px solid var(--line);border-radius:12px}
.wide{grid-column:1/-1}
h2{margin:0;font-size:1.08rem;line-height:1.3}
section p{margin:.3rem 0 .8rem;color:var(--muted);overflow-wrap:anywhere}
.legend{display:flex;flex-wrap:wrap;gap:.15rem .95rem;margin:0 0 .5rem;padding:0;list-style:none;font-size:.85rem}
.legend i{display:inline-block;width:.75rem;height:.75rem;margin-right:.4rem;border-radius:3px;vertical-align:-.06rem}
figure{margin:auto 0;padding-bottom:.5rem}
figcaption{margin-top:.3rem;font-size:.82rem;color:var(--muted)}
svg{display:block;width:100%;max-width:36rem;height:auto;margin:0 auto;overflow:visible}
details{margin:0 -1.15rem;border-top:1px solid var(--line)}
summary{padding:.6rem 1.15rem;cursor:pointer;font-size:.87rem;color:var(--muted)}
details[open] summary{color:var(--ink)}
summary:focus-visible,.scroll:focus-visible{outline:2px solid var(--blue);outline-offset:-2px;border-radius:6px}
.scroll{max-height:22rem;overflow:auto;padding:0 1.15rem .7rem}
table{width:100%;border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
caption,.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
.number{text-align:right;white-space:nowrap}
th:first-child{padding-left:0;text-align:left;font-weight:500}
thead th,thead th:first-child{color:var(--muted);font-weight:600}
thead .number{white-space:normal}
td:last-child,th:last-child{padding-right:0}
@media (max-width:30rem){section{padding:.9rem .8rem .4rem}details{margin-inline:-.8rem}summary{padding-inline:.8rem}.scroll{padding-inline:.8rem}table{font-size:.78rem}th,td{padding-inline:.3rem}}
@media (max-width:48rem){dl div{flex-basis:calc(50% - 1px)}}
@media print{body{background:none}section,dl{break-inside:avoid}details{display:none}}
`;
