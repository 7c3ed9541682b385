using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Turns keys back into the values that the column's annotation gives for them.</summary>
[LoadableModel(LoaderSignature)]
public sealed class KeyToValueMappingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "KeyToValueTransform";

    internal KeyToValueMappingTransformer(IHostEnvironment env, params (string outputColumnName, string inputColumnName)[] columns)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(KeyToValueMappingTransformer)), columns)
    {
    }

    private KeyToValueMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static KeyToValueMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(KeyToValueMappingTransformer)), ctx);

    private sealed class Mapper : OneToOneMapperBase
    {
        private readonly KeyToValueMappingTransformer _parent;
        private readonly PrimitiveDataViewType[] _itemTypes;

        public Mapper(KeyToValueMappingTransformer parent, DataViewSchema inputSchema)
            : base(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
        {
            _parent = parent;
            _itemTypes = [.. parent.ColumnPairs.Select((_, i) => ValueTypeOf(Source(i)))];
        }

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. _parent.ColumnPairs.Select((pair, i) => Values(pair.outputColumnName, Source(i), _itemTypes[i]))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            DataViewType type = Source(iinfo).Type;
            return Generic.Invoke<Delegate>(
                type is VectorDataViewType ? Vector<int, int> : Scalar<int, int>,
                [type.GetItemType().RawType, _itemTypes[iinfo].RawType], input, Source(iinfo));
        }

        private static DataViewSchema.DetachedColumn Values(string name, DataViewSchema.Column source, PrimitiveDataViewType itemType)
        {
            var annotations = new DataViewSchema.Annotations.Builder();
            annotations.Add(source.Annotations, kind => kind == AnnotationUtils.Kinds.SlotNames);
            DataViewType type = source.Type is VectorDataViewType vector ? new VectorDataViewType(itemType, vector.Dimensions) : itemType;
            return new(name, type, annotations.ToAnnotations());
        }

        private static ValueGetter<TValue> Scalar<TKey, TValue>(DataViewRow input, DataViewSchema.Column source)
        {
            Func<TKey, TValue> valueOf = Lookup<TKey, TValue>(source);
            ValueGetter<TKey> getter = input.GetGetter<TKey>(source);
            TKey key = default;
            return (ref TValue dst) =>
            {
                getter(ref key);
                dst = valueOf(key);
            };
        }

        private static ValueGetter<VBuffer<TValue>> Vector<TKey, TValue>(DataViewRow input, DataViewSchema.Column source)
        {
            Func<TKey, TValue> valueOf = Lookup<TKey, TValue>(source);
            ValueGetter<VBuffer<TKey>> getter = input.GetGetter<VBuffer<TKey>>(source);
            VBuffer<TKey> keys = default;
            return (ref VBuffer<TValue> dst) =>
            {
                getter(ref keys);
                VBufferEditor<TValue> editor = VBufferEditor.Create(ref dst, keys.Length);
                foreach ((int i, TKey key) in keys.Items(all: true))
                    editor.Values[i] = valueOf(key);
                dst = editor.Commit();
            };
        }

        private static Func<TKey, TValue> Lookup<TKey, TValue>(DataViewSchema.Column source)
        {
            VBuffer<TValue> values = default;
            source.GetKeyValues(ref values);
            var all = new TValue[values.Length];
            values.CopyTo(all);
            TValue missing = ValueConversions.Missing<TValue>();
            Func<TKey, uint> number = ValueConversions.Find<TKey, uint>(source.Type.GetItemType(), NumberDataViewType.UInt32);
            return key => number(key) is var n && n > 0 && n <= all.Length ? all[n - 1] : missing;
        }

        private PrimitiveDataViewType ValueTypeOf(DataViewSchema.Column source)
        {
            DataViewType values = source.Annotations.Schema.GetColumnOrNull(AnnotationUtils.Kinds.KeyValues)?.Type;
            Host.Check(values != null, "The column has no annotation KeyValues");
            int keys = source.Type.GetItemType().GetKeyCountAsInt32(Host);
            Host.Check(values.GetVectorSize() == keys, "The annotation KeyValues is not as long as there are keys");
            return (PrimitiveDataViewType)values.GetItemType();
        }

        private DataViewSchema.Column Source(int i) => InputSchema[ColMapNewToOld[i]];
    }
}
