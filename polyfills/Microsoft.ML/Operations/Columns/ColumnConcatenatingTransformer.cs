using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Makes one vector of several columns.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ColumnConcatenatingTransformer : RowToRowTransformerBase
{
    private const string LoaderSignature = "ConcatTransform";

    private readonly string _name;
    private readonly string[] _sources;

    internal ColumnConcatenatingTransformer(IHostEnvironment env, string outputColumnName, string[] inputColumnNames)
        : base(env.Register(nameof(ColumnConcatenatingTransformer)))
    {
        _name = outputColumnName;
        _sources = inputColumnNames;
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        ctx.SaveString(_name);
        ctx.Writer.Write(_sources.Length);
        foreach (string source in _sources)
            ctx.SaveString(source);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private static ColumnConcatenatingTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        string name = ctx.LoadString();
        var sources = new string[ctx.Reader.ReadInt32()];
        for (int i = 0; i < sources.Length; i++)
            sources[i] = ctx.LoadString();
        return new ColumnConcatenatingTransformer(env, name, sources);
    }

    private sealed class Mapper : MapperBase
    {
        private readonly ColumnConcatenatingTransformer _parent;
        private readonly DataViewSchema.Column[] _sources;
        private readonly VectorDataViewType _type;

        public Mapper(ColumnConcatenatingTransformer parent, DataViewSchema inputSchema)
            : base(parent.Host.Register(nameof(Mapper)), inputSchema)
        {
            _parent = parent;
            _sources = [.. parent._sources.Select(
                name => inputSchema.GetColumnOrNull(name) ?? throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", name))];
            DataViewType itemType = _sources[0].Type.GetItemType();
            foreach (DataViewSchema.Column source in _sources)
            {
                if (!source.Type.GetItemType().Equals(itemType))
                    throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", source.Name, itemType.ToString(), source.Type.ToString());
            }

            bool known = _sources.All(s => s.Type.GetValueCount() > 0);
            _type = new VectorDataViewType((PrimitiveDataViewType)itemType, known ? _sources.Sum(s => s.Type.GetValueCount()) : 0);
        }

        // A single vector is passed on as it is.
        private bool IsIdentity => _sources.Length == 1 && _sources[0].Type is VectorDataViewType;

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore()
        {
            if (IsIdentity)
                return [new(_parent._name, _sources[0].Type, _sources[0].Annotations)];
            var annotations = new DataViewSchema.Annotations.Builder();
            if (_type.ItemType is NumberDataViewType && _sources.All(s => s.IsNormalized()))
                annotations.AddPrimitiveValue(AnnotationUtils.Kinds.IsNormalized, BooleanDataViewType.Instance, true);
            if (_type.IsKnownSize && _sources.Any(s => s.Type is not VectorDataViewType || s.HasSlotNames()))
                annotations.AddSlotNames(_type.Size, GetSlotNames);
            return [new(_parent._name, _type, annotations.ToAnnotations())];
        }

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            return IsIdentity
                ? RowCursorUtils.GetGetterAsDelegate(input, _sources[0].Index)
                : Generic.Invoke<Delegate>(MakeGetter<int>, _type.ItemType.RawType, input);
        }

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput) =>
            col => activeOutput(0) && _sources.Any(s => s.Index == col);

        private void GetSlotNames(ref VBuffer<ReadOnlyMemory<char>> dst)
        {
            var names = new string[_type.Size];
            int slot = 0;
            foreach (DataViewSchema.Column source in _sources)
            {
                if (source.Type is not VectorDataViewType)
                    names[slot] = source.Name;
                else if (source.HasSlotNames())
                {
                    VBuffer<ReadOnlyMemory<char>> own = default;
                    source.GetSlotNames(ref own);
                    foreach ((int i, ReadOnlyMemory<char> name) in own.Items())
                        names[slot + i] = name.IsEmpty ? null : $"{source.Name}.{name}";
                }

                slot += source.Type.GetValueCount();
            }

            VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref dst, names.Length);
            for (int i = 0; i < names.Length; i++)
                editor.Values[i] = names[i].AsMemory();
            dst = editor.Commit();
        }

        private Delegate MakeGetter<T>(DataViewRow input)
        {
            ValueGetter<VBuffer<T>>[] parts =
                [.. _sources.Select(s => s.Type is VectorDataViewType ? input.GetGetter<VBuffer<T>>(s) : AsVector(input.GetGetter<T>(s)))];
            var buffers = new VBuffer<T>[parts.Length];
            return (ValueGetter<VBuffer<T>>)((ref VBuffer<T> dst) =>
            {
                int length = 0;
                int count = 0;
                for (int i = 0; i < parts.Length; i++)
                {
                    parts[i](ref buffers[i]);
                    int size = _sources[i].Type.GetValueCount();
                    if (size != 0 && size != buffers[i].Length)
                        throw Contracts.Except($"Column '{_sources[i].Name}' has {buffers[i].Length} slots instead of {size}");
                    length = checked(length + buffers[i].Length);
                    count += buffers[i].GetValues().Length;
                }

                dst = count <= length / 2 ? Sparse(buffers, ref dst, length, count) : Dense(buffers, ref dst, length);
            });
        }

        private static ValueGetter<VBuffer<T>> AsVector<T>(ValueGetter<T> getter) => (ref VBuffer<T> dst) =>
        {
            VBufferEditor<T> editor = VBufferEditor.Create(ref dst, 1);
            getter(ref editor.Values[0]);
            dst = editor.Commit();
        };

        private static VBuffer<T> Dense<T>(VBuffer<T>[] parts, ref VBuffer<T> dst, int length)
        {
            VBufferEditor<T> editor = VBufferEditor.Create(ref dst, length);
            int slot = 0;
            foreach (VBuffer<T> part in parts)
            {
                part.CopyTo(editor.Values, slot);
                slot += part.Length;
            }

            return editor.Commit();
        }

        private static VBuffer<T> Sparse<T>(VBuffer<T>[] parts, ref VBuffer<T> dst, int length, int count)
        {
            VBufferEditor<T> editor = VBufferEditor.Create(ref dst, length, count);
            int slot = 0;
            int filled = 0;
            foreach (VBuffer<T> part in parts)
            {
                foreach ((int i, T value) in part.Items())
                {
                    editor.Values[filled] = value;
                    editor.Indices[filled++] = slot + i;
                }

                slot += part.Length;
            }

            return editor.Commit();
        }
    }
}
