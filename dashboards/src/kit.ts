// How every dashboard looks: eight verbs (dashboard, variable, annotation, row, stat, graph, table and query)
// over Grafana's Foundation SDK. Only this file imports it: its next schema is a change to this file alone.
import { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import * as common from "@grafana/grafana-foundation-sdk/common";
import * as sdk from "@grafana/grafana-foundation-sdk/dashboard";
import * as prometheus from "@grafana/grafana-foundation-sdk/prometheus";
import * as statPanel from "@grafana/grafana-foundation-sdk/stat";
import * as tablePanel from "@grafana/grafana-foundation-sdk/table";
import * as timeseries from "@grafana/grafana-foundation-sdk/timeseries";
import * as units from "@grafana/grafana-foundation-sdk/units";

// Grafana only ever migrates dashboards up: this is what the oldest Grafana we name (10.0) speaks.
const schemaVersion = 38;
const datasource = { type: "prometheus", uid: "${datasource}" };

export const unit = {
  count: units.Short,
  exactly: units.LocaleFormat, // with separators, where 4.91 K would hide what is left
  ratio: units.PercentUnit,
  seconds: units.Seconds,
  bytes: units.BytesIEC,
  perMinute: units.CountsPerMinute,
  requestsPerMinute: units.RequestsPerMinute,
  fromNow: units.DateTimeFromNow, // of milliseconds since 1970
  text: units.String,
};

export type Color = "green" | "orange" | "red" | "blue" | "purple" | "text" | "transparent";
export type Steps = [base: Color, ...steps: [from: number, color: Color][]];

type Property = sdk.DynamicConfigValue;
export interface Query {
  expr: string;
  legend?: string; // of a line
  limit?: boolean; // drawn dashed and grey: what the other lines are measured by
}
export const query = (expr: string, legend?: string): Query => ({ expr, legend });
export const limitQuery = (expr: string, legend: string): Query => ({ expr, legend, limit: true });

interface Common {
  id: number; // stable: links and screenshots name it
  title: string;
  help: string; // what it shows, and what to do when it is red
  size: [width: number, height: number]; // of 24 columns; in rows of 30 pixels
  unit: string;
  steps?: Steps;
  empty?: string; // what an empty panel says: the reason
}

export interface Stat extends Common {
  query: Query;
  decimals?: number;
  words?: Record<string, [text: string, color: Color]>; // what single values mean
}

export interface Graph extends Common {
  queries: Query[];
  stacked?: boolean;
  logarithmic?: boolean;
  max?: number;
  softMax?: number; // where the axis ends unless a line goes beyond
  decimals?: number;
  colors?: [legend: RegExp, Color][];
  repeat?: string; // once per value of this variable
}

export interface Column {
  field: string; // a label, or a value as valueOf names it
  title: string;
  unit?: string;
  width?: number;
  bar?: boolean; // a gauge from 0 to 1 in the colours of `steps`
  color?: Color;
  decimals?: number;
  words?: Record<string, [text: string, color: Color]>;
  steps?: Steps;
  linked?: boolean;
}

export interface Table extends Common {
  queries: Query[];
  columns: Column[]; // in this order; whatever else the queries return is hidden
  worst: string; // the field that sorts, highest first
  link?: { title: string; url: string };
}

// Grafana's name for the value of query A, B, …; a table of one query has just "Value".
export const valueOf = (refId: string) => `Value #${refId}`;

type AnyPanel = Builder<sdk.Panel>;
export interface Row {
  id: number;
  title: string;
  panels: AnyPanel[];
}
export const row = (id: number, title: string, ...panels: AnyPanel[]): Row => ({ id, title, panels });

const letter = (index: number) => String.fromCharCode("A".charCodeAt(0) + index);

function target(index: number, query: Query, instant: boolean, table = false): Builder<Dataquery> {
  const built = new prometheus.DataqueryBuilder();
  built.refId(letter(index)).datasource(datasource).expr(query.expr);
  if (query.legend !== undefined) built.legendFormat(query.legend);
  if (table) built.format(prometheus.PromQueryFormat.Table);
  return instant ? built.instant() : built.range();
}

function thresholds([base, ...steps]: Steps): Builder<sdk.ThresholdsConfig> {
  return new sdk.ThresholdsConfigBuilder()
    .mode(sdk.ThresholdsMode.Absolute)
    .steps([{ value: null, color: base }, ...steps.map(([value, color]) => ({ value, color }))]);
}

function mappings(words: Record<string, [string, Color]>): sdk.ValueMapping[] {
  const entries = Object.entries(words);
  const results = entries.map(([value, [text, color]], index) => [value, { text, color, index }]);
  return [{ type: sdk.MappingType.ValueToText, options: Object.fromEntries(results) }];
}

export function stat(spec: Stat): AnyPanel {
  const panel = new statPanel.PanelBuilder()
    .id(spec.id).title(spec.title).description(spec.help).datasource(datasource)
    .span(spec.size[0]).height(spec.size[1])
    .unit(spec.unit).thresholds(thresholds(spec.steps ?? ["text"]))
    .colorScheme(new sdk.FieldColorBuilder().mode(sdk.FieldColorModeId.Thresholds))
    .colorMode(common.BigValueColorMode.Value).graphMode(common.BigValueGraphMode.None)
    .textMode(common.BigValueTextMode.Value)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(["lastNotNull"]))
    .withTarget(target(0, spec.query, true));
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.words) panel.mappings(mappings(spec.words));
  if (spec.empty) panel.noValue(spec.empty);
  return panel;
}

export function graph(spec: Graph): AnyPanel {
  const panel = new timeseries.PanelBuilder()
    .id(spec.id).title(spec.title).description(spec.help).datasource(datasource)
    .span(spec.size[0]).height(spec.size[1])
    .unit(spec.unit).thresholds(thresholds(spec.steps ?? ["green"]))
    .thresholdsStyle(new common.GraphThresholdsStyleConfigBuilder()
      .mode(spec.steps ? common.GraphThresholdsStyleMode.Dashed : common.GraphThresholdsStyleMode.Off))
    .colorScheme(new sdk.FieldColorBuilder().mode(sdk.FieldColorModeId.PaletteClassic))
    // Areas without lines: one that is 0 would lie on top of the stack and give it its colour.
    .lineWidth(spec.stacked ? 0 : 2).fillOpacity(spec.stacked ? 70 : 4)
    .showPoints(common.VisibilityMode.Auto).pointSize(4)
    .stacking(new common.StackingConfigBuilder().group("A")
      .mode(spec.stacked ? common.StackingMode.Normal : common.StackingMode.None))
    .legend(new common.VizLegendOptionsBuilder().showLegend(true).calcs([])
      .displayMode(common.LegendDisplayMode.List).placement(common.LegendPlacement.Bottom))
    .tooltip(new common.VizTooltipOptionsBuilder()
      .mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending));
  if (spec.logarithmic) {
    const scale = new common.ScaleDistributionConfigBuilder();
    panel.scaleDistribution(scale.type(common.ScaleDistribution.Log).log(10));
  } else {
    panel.min(0);
  }
  if (spec.max !== undefined) panel.max(spec.max);
  else if (spec.softMax !== undefined) panel.axisSoftMax(spec.softMax);
  if (spec.decimals !== undefined) panel.decimals(spec.decimals);
  if (spec.empty) panel.noValue(spec.empty);
  if (spec.repeat) panel.repeat(spec.repeat).repeatDirection("h").maxPerRow(2);
  spec.queries.forEach((each, index) => {
    panel.withTarget(target(index, each, false));
    if (each.limit) panel.overrideByQuery(letter(index), dashed);
  });
  for (const [legend, fixedColor] of spec.colors ?? []) {
    panel.overrideByRegexp(legend.source, [{ id: "color", value: { mode: "fixed", fixedColor } }]);
  }
  return panel;
}

const dashed: Property[] = [
  { id: "custom.lineStyle", value: { fill: "dash", dash: [6, 6] } },
  { id: "custom.lineWidth", value: 1 },
  { id: "custom.fillOpacity", value: 0 },
  { id: "color", value: { mode: "fixed", fixedColor: "text" } },
  { id: "custom.hideFrom", value: { legend: true, tooltip: false, viz: false } },
];

export function table(given: Table): AnyPanel {
  const spec = given.queries.length === 1 ? withPlainValue(given) : given;
  const panel = new tablePanel.PanelBuilder()
    .id(spec.id).title(spec.title).description(spec.help).datasource(datasource)
    .span(spec.size[0]).height(spec.size[1])
    .unit(spec.unit).thresholds(thresholds(spec.steps ?? ["text"]))
    .colorScheme(new sdk.FieldColorBuilder().mode(sdk.FieldColorModeId.Thresholds))
    .cellHeight(common.TableCellHeight.Sm)
    .transformations(transformations(spec));
  if (spec.empty) panel.noValue(spec.empty);
  spec.queries.forEach((each, index) => panel.withTarget(target(index, each, true, true)));
  for (const column of spec.columns) panel.overrideByName(column.field, properties(column, spec));
  return panel;
}

function transformations(spec: Table): sdk.DataTransformerConfig[] {
  const names = spec.columns.map((column) => column.field);
  const indexByName = Object.fromEntries(names.map((name, index) => [name, index]));
  return [
    { id: "merge", options: {} },
    { id: "sortBy", options: { fields: {}, sort: [{ field: spec.worst, desc: true }] } },
    { id: "filterFieldsByName", options: { include: { names } } },
    { id: "organize", options: { indexByName, excludeByName: {}, renameByName: {} } },
  ];
}

function withPlainValue(spec: Table): Table {
  const plain = (field: string) => (field === valueOf("A") ? "Value" : field);
  const columns = spec.columns.map((column) => ({ ...column, field: plain(column.field) }));
  return { ...spec, columns, worst: plain(spec.worst) };
}

function properties(column: Column, spec: Table): Property[] {
  // Else what an empty table says would stand in every empty cell.
  const found: Property[] = [{ id: "displayName", value: column.title }, { id: "noValue", value: "–" }];
  const add = (id: string, value: unknown) => found.push({ id, value });
  if (column.unit) add("unit", column.unit);
  if (column.decimals !== undefined) add("decimals", column.decimals);
  if (column.width) add("custom.width", column.width);
  if (column.words) add("mappings", mappings(column.words));
  if (column.steps) add("thresholds", thresholds(column.steps).build());
  if (column.color) add("color", { mode: "fixed", fixedColor: column.color });
  if (column.bar) {
    add("min", 0);
    add("max", 1);
    add("custom.cellOptions", { type: "gauge", mode: "basic", valueDisplayMode: "color" });
  } else if (column.words || column.color || column.steps) {
    add("custom.cellOptions", { type: "color-text" });
  }
  if (column.linked && spec.link) add("links", [{ ...spec.link, targetBlank: false }]);
  return found;
}

export interface Variable {
  name: string;
  label: string;
  query: string;
  one?: boolean; // exactly one value, no All
  hidden?: boolean;
  all?: string; // what All stands for; ".*" where the label may be empty
}

export function variable(spec: Variable): Builder<sdk.VariableModel> {
  const built = new sdk.QueryVariableBuilder(spec.name)
    .label(spec.label).datasource(datasource)
    .query({ query: spec.query, refId: `variable-${spec.name}` }).definition(spec.query)
    .refresh(sdk.VariableRefresh.OnTimeRangeChanged).sort(sdk.VariableSort.AlphabeticalAsc)
    .hide(spec.hidden ? sdk.VariableHide.HideVariable : sdk.VariableHide.DontHide);
  if (spec.one) return built.multi(false).includeAll(false);
  return built.multi(true).includeAll(true).allValue(spec.all ?? ".+")
    .current({ selected: true, text: ["All"], value: ["$__all"] });
}

export interface Annotation {
  name: string;
  color: Color;
  expr: string;
  title: string;
  text: string;
}

export function annotation(spec: Annotation): Builder<sdk.AnnotationQuery> {
  return new sdk.AnnotationQueryBuilder()
    .name(spec.name).datasource(datasource).enable(true).hide(false).iconColor(spec.color)
    .expr(spec.expr).step("60s").titleFormat(spec.title).textFormat(spec.text).useValueForTime(false);
}

export interface Dashboard {
  name: "overview" | "api" | "guard" | "agent";
  title: string;
  help: string;
  variables: Builder<sdk.VariableModel>[];
  annotations: Builder<sdk.AnnotationQuery>[];
  links: { title: string; url: string }[];
  rows: Row[];
}

// The dashboard as the JSON that Grafana reads from a file.
export function dashboard(spec: Dashboard): string {
  const built = new sdk.DashboardBuilder(`API quota / ${spec.title}`)
    .uid(`apiquota-${spec.name}`).description(`${spec.help} Needs Grafana 10 or later.`).tags(["apiquota"])
    .readonly().tooltip(sdk.DashboardCursorSync.Crosshair).timezone("browser").refresh("30s")
    .time({ from: "now-6h", to: "now" }).version(1)
    .withVariable(new sdk.DatasourceVariableBuilder("datasource").label("Data source").type("prometheus"))
    .annotations(spec.annotations);
  spec.variables.forEach((each) => built.withVariable(each));
  for (const { title, url } of spec.links) {
    built.link(new sdk.DashboardLinkBuilder(title).type(sdk.DashboardLinkType.Link).url(url).keepTime(true)
      .icon("dashboard").tooltip(`Go to ${title}`));
  }
  for (const { id, title, panels } of spec.rows) {
    built.withRow(new sdk.RowBuilder(title).id(id));
    panels.forEach((panel) => built.withPanel(panel));
  }
  // Links and annotations stay in sight; the SDK would put them into the menu that Grafana 12 has for them.
  const shown = (name: string, value: unknown) =>
    name === "placement" && value === "inControlsMenu" ? undefined : value;
  return JSON.stringify({ ...built.build(), schemaVersion }, shown, 2) + "\n";
}
