using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public abstract partial class RowToRowTransformerBase
{
    /// <summary>A mapper that makes its getters one by one.</summary>
    private protected abstract class MapperBase : IRowMapper
    {
        protected readonly IHost Host;
        protected readonly DataViewSchema InputSchema;
        protected readonly Lazy<DataViewSchema.DetachedColumn[]> OutputColumns;

        protected MapperBase(IHost host, DataViewSchema inputSchema)
        {
            Contracts.CheckValue(host, nameof(host));
            Contracts.CheckValue(inputSchema, nameof(inputSchema));
            Host = host;
            InputSchema = inputSchema;
            // Lazy: what the columns are may depend on fields that the derived constructor sets.
            OutputColumns = new Lazy<DataViewSchema.DetachedColumn[]>(GetOutputColumnsCore);
        }

        DataViewSchema.DetachedColumn[] IRowMapper.GetOutputColumns() => OutputColumns.Value;

        Func<int, bool> IRowMapper.GetDependencies(Func<int, bool> activeOutput) => GetDependenciesCore(activeOutput);

        public virtual Delegate[] CreateGetters(DataViewRow input, Func<int, bool> activeOutput, out Action disposer)
        {
            var getters = new Delegate[OutputColumns.Value.Length];
            disposer = null;
            for (int i = 0; i < getters.Length; i++)
            {
                if (!activeOutput(i))
                    continue;
                getters[i] = MakeGetter(input, i, activeOutput, out Action one);
                disposer += one;
            }

            return getters;
        }

        protected abstract DataViewSchema.DetachedColumn[] GetOutputColumnsCore();

        protected abstract Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer);

        private protected abstract Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput);
    }
}
