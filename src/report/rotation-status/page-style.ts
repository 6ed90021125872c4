/**
 * The style of the page. Columns: 1 domain, 2 selector, 3 algorithm, 4 state, 5 since, 6 next, 7 due, 8 time line. What a
 * colour tells is told by a word or a shape too.
 */
export const PAGE_STYLE = `
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--faint:#5b6570;--line:#dfe3e8;--grid:#eceff2;--mark:#eef4fb;
--signs:#1a7f4b;--served:#7fa8d6;--revoked:#9aa4af;--made:#b7791f;--compromised:#c0272d;--late:#9a5b00;--now:#c0272d;--link:#0b5cad}
@media(prefers-color-scheme:dark){:root{--back:#14181d;--text:#e4e8ec;--faint:#9aa6b2;--line:#2c333b;--grid:#232930;
--mark:#1b2530;--signs:#3fb97a;--served:#4a78ad;--revoked:#7b8794;--made:#d9a441;--compromised:#ff7b72;--late:#e3b341;--now:#ff7b72;--link:#79b8ff}}
*{box-sizing:border-box}
body{margin:0;padding:1rem 1.25rem 3rem;background:var(--back);color:var(--text);font:14px/1.45 system-ui,sans-serif}
h1{font-size:1.35rem;margin:0}
p{margin:.35rem 0}
a{color:var(--link)}
.faint{color:var(--faint)}
.notice{padding:.4rem .7rem;border-left:4px solid var(--late);background:var(--mark)}
.summary{display:flex;flex-wrap:wrap;gap:.35rem;margin:.7rem 0;padding:0;list-style:none}
.summary a{display:block;padding:.15rem .6rem;border:1px solid var(--line);border-radius:1rem;color:inherit;text-decoration:none}
.summary a:hover,.summary a:focus-visible{border-color:var(--link)}
.summary b{font-variant-numeric:tabular-nums}
.summary .compromised a{border-color:var(--compromised);color:var(--compromised)}
.summary .late a{border-color:var(--late);color:var(--late)}
.tools{display:none;flex-wrap:wrap;gap:.5rem 1rem;align-items:start;margin:.7rem 0}
.js .tools{display:flex}
.tools label,.tools small{display:block;font-size:.85rem;color:var(--faint)}
.tools output{align-self:center}
.tools input,.tools select,button{font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);border-radius:.3rem;padding:.35rem .5rem}
.tools input{width:min(26rem,80vw)}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.5rem 0;padding:0;list-style:none;color:var(--faint)}
.legend svg{display:inline-block;width:2.2rem;height:.8rem;margin-right:.4rem;vertical-align:-.05rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.28rem .7rem .28rem 0;border-bottom:1px solid var(--line);vertical-align:middle;font-weight:400}
tbody th,td:nth-child(2){overflow-wrap:anywhere}
tbody th{min-width:11rem}
td:nth-child(2){min-width:7rem}
td:nth-child(3),td:nth-child(5){white-space:nowrap}
td:nth-child(5){color:var(--faint)}
td:nth-child(7){min-width:7rem}
thead{position:sticky;top:0;background:var(--back);z-index:1}
thead th{border-bottom:2px solid var(--line);font-weight:600;white-space:nowrap}
thead button{all:unset;cursor:pointer;font-weight:600}
thead button:focus-visible{outline:2px solid var(--link);outline-offset:2px}
th[aria-sort=ascending] button::after{content:" \\2191"}
th[aria-sort=descending] button::after{content:" \\2193"}
tbody tr:hover{background-color:var(--mark)}
small{display:block;color:var(--faint);font-size:.85em}
.active{color:var(--signs);font-weight:600}
.compromised td:nth-child(4),.compromised small{color:var(--compromised);font-weight:600}
.late small{color:var(--late);font-weight:600}
.soon small{color:var(--text);font-weight:600}
.gone td:nth-child(4){color:var(--faint)}
td:nth-child(6){white-space:nowrap}
.time{width:36%;min-width:16rem;padding:0;position:relative}
td.time::before{content:"";position:absolute;top:0;bottom:0;right:0;background:var(--back);opacity:.35}
td.time::after,.legend .now::before{content:"";background:var(--now);width:2px}
td.time::after{position:absolute;top:0;bottom:0;opacity:.75}
.legend .now::before{display:inline-block;height:.8rem;margin-right:.4rem;vertical-align:-.05rem}
svg{display:block;width:100%;height:1.15rem}
.s{fill:var(--signs)}.compromised .s{fill:var(--compromised)}.d{fill:var(--served)}.r{fill:var(--revoked)}.m{fill:var(--made)}
.axis{position:relative;height:1.5em;font-weight:400;font-size:.8rem;color:var(--faint)}
.axis span{position:absolute;top:.15em;padding-left:.25em;border-left:1px solid var(--line);white-space:nowrap}
.js tbody~tbody{display:none}
.more{margin:1rem 0}
.more button{margin-right:.5rem;cursor:pointer}
[hidden]{display:none!important}
@media(max-width:82rem){.time{width:26%;min-width:12rem}.axis span:nth-child(even){display:none}}
@media(max-width:64rem){
body{padding:.8rem .8rem 3rem}
table,tbody,tr,td,tbody th{display:block}
thead{display:block}
thead tr{display:block}
thead th{display:none}
thead th.time{display:block;width:100%;min-width:0;border-bottom:1px solid var(--line)}
tbody tr{padding:.55rem 0 .6rem;border-bottom:1px solid var(--line);display:flex;flex-wrap:wrap;gap:0 .8rem;align-items:baseline}
tbody th,tbody td,td:nth-child(2),td:nth-child(7){border:0;padding:0;min-width:0}
tbody th{flex:1 0 100%;font-weight:600}
td:nth-child(5)::before{content:"since "}
td:nth-child(7) small{display:inline}
td:nth-child(7) small::before{content:"\\2003"}
td:empty{display:none}
td.time{flex:1 0 100%;width:100%;margin-top:.35rem}
}
@media print{.tools,.more{display:none!important}thead{position:static}}
`;
