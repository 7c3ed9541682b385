using Microsoft.ML.Data;
using Microsoft.ML.Internal.Utilities;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

public sealed partial class OnnxTransformer
{
    private sealed class Mapper : MapperBase
    {
        private readonly OnnxTransformer _parent;
        private readonly int[] _inputColumns;
        private readonly int[][] _inputShapes;

        public Mapper(OnnxTransformer parent, DataViewSchema inputSchema)
            : base(parent.Host.Register(nameof(Mapper)), inputSchema)
        {
            _parent = parent;
            _inputShapes = [.. parent.Inputs.Select(name => ShapeForOneRow(parent.Model.GetInput(name)))];
            _inputColumns = [.. parent.Inputs.Select((name, i) => CheckInput(name, _inputShapes[i]))];
        }

        public override Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
        {
            OnnxVariable[] outputs = _parent.OutputVariables;
            string[] active = [.. outputs.Where((_, i) => activeOutput(i)).Select(v => v.Name).Distinct()];
            OnnxInput[] inputs = [.. _inputColumns.Select((column, i) => OnnxInput.Create(input, column, _inputShapes[i]))];
            var run = new RowRun(_parent.Model, inputs, active);
            disposer = run.Dispose;
            var getters = new Delegate[outputs.Length];
            for (int i = 0; i < getters.Length; i++)
            {
                if (activeOutput(i))
                    getters[i] = MakeGetter(input, outputs[i], run);
            }

            return getters;
        }

        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() => [.. _parent.OutputVariables.Select(OutputColumn)];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer) =>
            throw new NotImplementedException();

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput) =>
            column => Array.IndexOf(_inputColumns, column) >= 0 && Enumerable.Range(0, _parent.OutputVariables.Length).Any(activeOutput);

        /// <summary>One row is a batch of one; what else is unknown is 0. A scalar becomes a vector of one.</summary>
        private static int[] ShapeForOneRow(OnnxVariable variable)
        {
            if (variable.Shape.Length == 0)
                return [1];
            int[] shape = [.. variable.Shape.Select((d, i) => i == 0 && d < 0 ? 1 : Math.Max(0, d))];
            if (shape.Count(d => d == 0) > 1)
                throw new ArgumentOutOfRangeException(variable.Name, "Only 1 unknown dimension is allowed");
            return shape;
        }

        private static Delegate MakeGetter(DataViewRow input, OnnxVariable output, RowRun run) =>
            output.Type is VectorDataViewType vector
                ? vector.ItemType is TextDataViewType
                    ? MakeTextGetter(input, output.Name, run)
                    : Generic.Invoke<Delegate>(MakeVectorGetter<int>, vector.ItemType.RawType, input, output.Name, run)
                : throw Contracts.Except($"The output {output.Name} of the ONNX model is a scalar, which is not supported.");

        private static Delegate MakeTextGetter(DataViewRow input, string name, RowRun run) =>
            (ValueGetter<VBuffer<ReadOnlyMemory<char>>>)((ref VBuffer<ReadOnlyMemory<char>> dst) =>
            {
                string[] texts = [.. run.Output(input.Position, name).AsTensor<string>()];
                VBufferEditor<ReadOnlyMemory<char>> editor = VBufferEditor.Create(ref dst, texts.Length);
                for (int i = 0; i < texts.Length; i++)
                    editor.Values[i] = texts[i].AsMemory();
                dst = editor.Commit();
            });

        private static Delegate MakeVectorGetter<T>(DataViewRow input, string name, RowRun run) =>
            (ValueGetter<VBuffer<T>>)((ref VBuffer<T> dst) =>
            {
                if (run.Output(input.Position, name).AsTensor<T>() is not DenseTensor<T> tensor)
                    throw Contracts.Except($"Output column {name} doesn't contain a DenseTensor of expected type {typeof(T)}");
                VBufferEditor<T> editor = VBufferEditor.Create(ref dst, (int)tensor.Length);
                tensor.Buffer.Span.CopyTo(editor.Values);
                dst = editor.Commit();
            });

        private int CheckInput(string name, int[] shape)
        {
            DataViewSchema.Column column = InputSchema.GetColumnOrNull(name) ?? throw Host.ExceptSchemaMismatch("inputSchema", "input", name);
            DataViewType wanted = _parent.Model.GetInput(name).Type.GetItemType();
            DataViewType given = column.Type.GetItemType();
            // A key is as good as the number that it is.
            if (!given.Equals(wanted) && !(given is KeyDataViewType && given.RawType == wanted.RawType))
                throw Host.ExceptSchemaMismatch("inputSchema", "input", name, wanted.ToString(), column.Type.ToString());
            if (shape.Contains(0))
                return column.Index;
            int size = column.Type.GetValueCount();
            if (size % shape.Aggregate((a, b) => a * b) != 0)
            {
                throw Contracts.Except(
                    $"Input shape mismatch: Input '{name}' has shape {string.Join(",", shape)}, but input data is of length {size}.");
            }

            return column.Index;
        }

        private DataViewSchema.DetachedColumn OutputColumn(OnnxVariable output)
        {
            const string Suffix = ".output";
            string name = output.Name.EndsWith(Suffix, StringComparison.Ordinal) ? output.Name.Replace(Suffix, "") : output.Name;
            var annotations = new DataViewSchema.Annotations.Builder();
            if (_parent.Model.Graph.SlotNamesOf(name) is { } slots)
            {
                ReadOnlyMemory<char>[] names = [.. slots.Select(s => s.AsMemory())];
                annotations.AddSlotNames(
                    names.Length, (ref VBuffer<ReadOnlyMemory<char>> dst) => new VBuffer<ReadOnlyMemory<char>>(names.Length, names).CopyTo(ref dst));
            }

            return new DataViewSchema.DetachedColumn(name, output.Type, annotations.ToAnnotations());
        }
    }

    /// <summary>The outputs of the current row, which all its getters share.</summary>
    private sealed class RowRun(OnnxModel model, OnnxInput[] inputs, string[] active) : IDisposable
    {
        private long _position = -1;
        private IDisposableReadOnlyCollection<DisposableNamedOnnxValue> _outputs;

        public NamedOnnxValue Output(long position, string name)
        {
            if (_position != position)
            {
                NamedOnnxValue[] values = [.. inputs.Select(input => input.Fetch())];
                _outputs?.Dispose();
                _outputs = null;
                _outputs = model.Run(values, active);
                _position = position;
            }

            return _outputs.First(output => output.Name == name);
        }

        public void Dispose() => _outputs?.Dispose();
    }
}
