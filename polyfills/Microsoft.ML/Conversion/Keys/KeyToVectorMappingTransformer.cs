using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms;

/// <summary>Turns keys into indicator vectors, or the keys of a vector into their counts.</summary>
[LoadableModel(LoaderSignature)]
public sealed class KeyToVectorMappingTransformer : OneToOneTransformerBase
{
    private const string LoaderSignature = "KeyToVectorTransform";

    internal KeyToVectorMappingTransformer(
        IHostEnvironment env, bool outputCountVector, (string outputColumnName, string inputColumnName)[] columns)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(KeyToVectorMappingTransformer)), columns) =>
        OutputCountVector = outputCountVector;

    private KeyToVectorMappingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx) => OutputCountVector = ctx.Reader.ReadBoolean();

    internal bool OutputCountVector { get; }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        DataViewType type = inputSchema[srcCol].Type;
        if (type.GetItemType() is not KeyDataViewType)
        {
            throw Host.ExceptSchemaMismatch(
                nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, "key type of known cardinality", type.ToString());
        }
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write(OutputCountVector);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static KeyToVectorMappingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) =>
        new(env.Register(nameof(KeyToVectorMappingTransformer)), ctx);

    private sealed class Mapper(KeyToVectorMappingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() =>
            [.. parent.ColumnPairs.Select((pair, i) => Indicators(pair.outputColumnName, InputSchema[ColMapNewToOld[i]]))];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            int source = ColMapNewToOld[iinfo];
            DataViewType type = InputSchema[source].Type;
            int keys = type.GetItemType().GetKeyCountAsInt32(Host);
            if (type is not VectorDataViewType)
                return Single(ConvertingGetters.GetScalar<uint>(NumberDataViewType.UInt32, input, source), keys);
            ValueGetter<VBuffer<uint>> getter = ConvertingGetters.GetVector<uint>(NumberDataViewType.UInt32, input, source);
            return parent.OutputCountVector ? Counts(getter, keys) : Blocks(getter, keys);
        }

        private static ValueGetter<VBuffer<float>> Single(ValueGetter<uint> getter, int keys)
        {
            uint key = 0;
            return (ref VBuffer<float> dst) =>
            {
                getter(ref key);
                bool known = key > 0 && key <= keys;
                VBufferEditor<float> editor = VBufferEditor.Create(ref dst, keys, known ? 1 : 0, requireIndicesOnDense: true);
                if (known)
                {
                    editor.Values[0] = 1;
                    editor.Indices[0] = (int)key - 1;
                }

                dst = editor.Commit();
            };
        }

        private static ValueGetter<VBuffer<float>> Counts(ValueGetter<VBuffer<uint>> getter, int keys)
        {
            VBuffer<uint> source = default;
            return (ref VBuffer<float> dst) =>
            {
                getter(ref source);
                VBufferEditor<float> editor = VBufferEditor.Create(ref dst, keys);
                editor.Values.Clear();
                foreach (uint key in source.GetValues())
                {
                    if (key > 0 && key <= keys)
                        editor.Values[(int)key - 1]++;
                }

                dst = editor.Commit();
            };
        }

        private static ValueGetter<VBuffer<float>> Blocks(ValueGetter<VBuffer<uint>> getter, int keys)
        {
            VBuffer<uint> source = default;
            return (ref VBuffer<float> dst) =>
            {
                getter(ref source);
                int count = 0;
                VBufferEditor<float> editor = VBufferEditor.Create(
                    ref dst, checked(keys * source.Length), source.GetValues().Length, requireIndicesOnDense: true);
                foreach ((int slot, uint key) in source.Items())
                {
                    if (key == 0 || key > keys)
                        continue;
                    editor.Values[count] = 1;
                    editor.Indices[count++] = (slot * keys) + (int)key - 1;
                }

                dst = editor.CommitTruncated(count);
            };
        }

        private DataViewSchema.DetachedColumn Indicators(string name, DataViewSchema.Column source)
        {
            int keys = source.Type.GetItemType().GetKeyCountAsInt32(Host);
            int slots = source.Type.GetValueCount();
            bool single = parent.OutputCountVector || slots == 1;
            VectorDataViewType type = single ? new(NumberDataViewType.Single, keys) : new(NumberDataViewType.Single, slots, keys);
            var annotations = new DataViewSchema.Annotations.Builder();
            if (source.HasKeyValues())
                AddSlotNames(annotations, source, keys, slots, type, single);
            if (!parent.OutputCountVector && slots > 0)
            {
                annotations.Add<VBuffer<int>>(
                    AnnotationUtils.Kinds.CategoricalSlotRanges, new VectorDataViewType(NumberDataViewType.Int32, slots, 2), Ranges(keys, slots));
            }

            if (!parent.OutputCountVector || source.Type is PrimitiveDataViewType)
                annotations.AddPrimitiveValue(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, true);
            return new(name, type, annotations.ToAnnotations());
        }

        private static void AddSlotNames(
            DataViewSchema.Annotations.Builder annotations, DataViewSchema.Column source, int keys, int slots, VectorDataViewType type, bool single)
        {
            if (!type.IsKnownSize)
                return;
            VBuffer<ReadOnlyMemory<char>> keyNames = default;
            source.GetKeyValues(ref keyNames);
            VBuffer<ReadOnlyMemory<char>> slotNames = default;
            if (source.HasSlotNames())
                source.GetSlotNames(ref slotNames);
            string[] prefixes = single ? [""] : [.. Enumerable.Range(0, slots).Select(Prefix)];
            ReadOnlyMemory<char>[] names = [.. prefixes.SelectMany(prefix => keyNames.DenseValues().Select(key => $"{prefix}{key}".AsMemory()))];
            var namesType = new VectorDataViewType(TextDataViewType.Instance, single ? [keys] : type.Dimensions);
            annotations.Add<VBuffer<ReadOnlyMemory<char>>>(
                AnnotationUtils.Kinds.SlotNames, namesType,
                (ref VBuffer<ReadOnlyMemory<char>> dst) => VBuffer<ReadOnlyMemory<char>>.Copy(names, 0, ref dst, names.Length));

            string Prefix(int slot) =>
                slotNames.Length > 0 && slotNames.GetItemOrDefault(slot) is { IsEmpty: false } name ? $"{name}." : $"[{slot}].";
        }

        private static ValueGetter<VBuffer<int>> Ranges(int keys, int slots)
        {
            int[] ranges = [.. Enumerable.Range(0, slots).SelectMany(slot => new[] { slot * keys, ((slot + 1) * keys) - 1 })];
            return (ref VBuffer<int> dst) => VBuffer<int>.Copy(ranges, 0, ref dst, ranges.Length);
        }
    }
}
