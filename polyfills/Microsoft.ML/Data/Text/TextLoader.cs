using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Reads lines of separated fields.</summary>
public sealed partial class TextLoader : IDataLoader<IMultiStreamSource>
{
    private readonly IHost _host;
    private readonly DataViewSchema _schema;
    private readonly TextColumn[] _columns;
    private readonly TextFormat _format;
    private readonly long _maxRows;

    internal TextLoader(IHostEnvironment env, Options options, IMultiStreamSource dataSample)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register("TextLoader");
        options ??= new Options();
        if (options.AllowSparse)
            throw _host.ExceptNotSupp("The stand-in for ML.NET does not read sparse text.");
        _format = TextFormat.Create(_host, options);
        _maxRows = options.MaxRows ?? long.MaxValue;
        _host.CheckUserArg(_maxRows >= 0, nameof(options.MaxRows));
        Column[] columns = options.Columns is { Length: > 0 } ? options.Columns : DefaultColumns();
        string[] sample = Sample(options, dataSample);
        int fields = options.InputSize ?? FieldCount(sample);
        _columns = [.. columns.Select(c => TextColumn.Bind(_host, c, fields))];
        string[] header = options.HasHeader && sample.Length > 0 ? [.. _format.Split(sample[0])] : null;
        _schema = ColumnTypeExtensions.MakeSchema(_columns.Select(c => c.Detached(header)));
    }

    public DataViewSchema GetOutputSchema() => _schema;

    public IDataView Load(IMultiStreamSource source)
    {
        _host.CheckValue(source, nameof(source));
        return new TextDataView(_host, _schema, _columns, _format, source, _maxRows);
    }

    void ICanSaveModel.Save(ModelSaveContext ctx) => throw _host.ExceptNotSupp("The stand-in for ML.NET does not save text loaders.");

    internal static TextLoader Create<TInput>(IHostEnvironment env, Options options, IMultiStreamSource dataSample)
    {
        options ??= new Options();
        Member[] members = [.. Member.AllOf(typeof(TInput), SchemaDefinition.Direction.Read)];
        if (members.Length == 0)
            throw env.ExceptParam(nameof(TInput), $"Should define at least one public, readable field or property in {nameof(TInput)}.");
        options.Columns = [.. members.Select(ColumnOf)];
        return new TextLoader(env, options, dataSample);

        Column ColumnOf(Member member)
        {
            string kindOfMember = member.Info is FieldInfo ? "Field" : "Property";
            LoadColumnAttribute load = member.Info.GetCustomAttribute<LoadColumnAttribute>()
                ?? throw env.Except($"{kindOfMember} '{member.Name}' is missing the {nameof(LoadColumnAttribute)} attribute");
            DataKind kind = (member.Type.IsArray ? member.Type.GetElementType() : member.Type).ToDataKind()
                ?? throw Contracts.Except($"{kindOfMember} {member.Name} is of unsupported type.");
            return new Column(member.ColumnName, kind, load.Sources, member.Info.GetCustomAttribute<KeyTypeAttribute>()?.KeyCount);
        }
    }

    private static Column[] DefaultColumns() =>
        [new("Label", DataKind.Single, 0), new("Features", DataKind.Single, [new Range(1, null)])];

    private string[] Sample(Options options, IMultiStreamSource dataSample)
    {
        IMultiStreamSource source = string.IsNullOrWhiteSpace(options.HeaderFile) ? dataSample : new MultiFileSource(options.HeaderFile);
        return source == null ? [] : [.. new TextLines(_format, source, hasHeader: false).Read().Take(100).Select(l => l.Text)];
    }

    private int FieldCount(string[] sample)
    {
        int[] counts = [.. sample.Select(line => _format.Split(line).Count).Distinct()];
        _host.CheckUserArg(counts.Length <= 1, nameof(Column.Source), "The lines differ in their number of fields");
        return counts.FirstOrDefault();
    }
}
