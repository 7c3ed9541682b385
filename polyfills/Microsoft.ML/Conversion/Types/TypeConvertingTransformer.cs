using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Converts columns to another type.</summary>
[LoadableModel(LoaderSignature)]
public sealed class TypeConvertingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "ConvertTransform";

    internal TypeConvertingTransformer(IHostEnvironment env, DataKind outputKind, (string outputColumnName, string inputColumnName)[] columns)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(TypeConvertingTransformer)), columns) => OutputKind = outputKind;

    private TypeConvertingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => OutputKind = (DataKind)ctx.Reader.ReadByte();

    internal DataKind OutputKind { get; }

    /// <summary>The type that items become; keys stay keys, if of another width.</summary>
    internal static PrimitiveDataViewType NewItemType(DataViewType itemType, DataKind kind)
    {
        PrimitiveDataViewType wanted = kind.ToPrimitiveType();
        return itemType is KeyDataViewType key && KeyDataViewType.IsValidDataType(wanted.RawType)
            ? new KeyDataViewType(wanted.RawType, Math.Min(key.Count, wanted.RawType.ToMaxInt()))
            : wanted;
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write((byte)OutputKind);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static TypeConvertingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(TypeConvertingTransformer)), ctx);

    private sealed class Mapper : OneToOneMapperBase
    {
        private readonly TypeConvertingTransformer _parent;
        private readonly PrimitiveDataViewType[] _itemTypes;

        public Mapper(TypeConvertingTransformer parent, DataViewSchema inputSchema)
            : base(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
        {
            _parent = parent;
            _itemTypes = [.. parent.ColumnPairs.Select((_, i) => NewItemType(Source(i).Type.GetItemType(), parent.OutputKind))];
            for (int i = 0; i < _itemTypes.Length; i++)
            {
                DataViewType itemType = Source(i).Type.GetItemType();
                bool losesKey = itemType is KeyDataViewType && _itemTypes[i] is not KeyDataViewType;
                if (losesKey || !ValueConversions.Exists(itemType, _itemTypes[i]))
                    throw Host.ExceptParam(
                        nameof(inputSchema),
                        $"Column '{Source(i).Name}' of type '{Source(i).Type}' does not convert to '{_itemTypes[i]}'");
            }
        }

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. _parent.ColumnPairs.Select((pair, i) => Converted(pair.outputColumnName, Source(i), _itemTypes[i]))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return ConvertingGetters.Get(_itemTypes[iinfo], input, ColMapNewToOld[iinfo]);
        }

        private static DataViewSchema.DetachedColumn Converted(string name, DataViewSchema.Column source, PrimitiveDataViewType itemType)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            DataViewType sourceItem = source.Type.GetItemType();
            if (source.Type.IsKnownSizeVector())
                annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.SlotNames);
            if (sourceItem is KeyDataViewType && sourceItem.GetKeyCount() == itemType.GetKeyCount())
                annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.KeyValues);
            if (sourceItem is NumberDataViewType && itemType is NumberDataViewType)
                annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.IsNormalized);
            if (source.Type is BooleanDataViewType && itemType is NumberDataViewType)
                annotations.AddPrimitiveValue(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, true);
            DataViewType type = source.Type is VectorDataViewType vector ? new VectorDataViewType(itemType, vector.Dimensions) : itemType;
            return new(name, type, annotations.ToAnnotations());
        }

        private DataViewSchema.Column Source(int i) => InputSchema[ColMapNewToOld[i]];
    }
}
