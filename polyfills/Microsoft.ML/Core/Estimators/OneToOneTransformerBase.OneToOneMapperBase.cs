using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

public abstract partial class OneToOneTransformerBase
{
    /// <summary>A mapper that knows which input column each of its columns needs.</summary>
    private protected abstract class OneToOneMapperBase : MapperBase
    {
        protected readonly Dictionary<int, int> ColMapNewToOld = [];

        protected OneToOneMapperBase(IHost host, OneToOneTransformerBase parent, DataViewSchema inputSchema)
            : base(host, inputSchema)
        {
            for (int i = 0; i < parent.ColumnPairs.Length; i++)
                ColMapNewToOld.Add(i, parent.FindInput(inputSchema, i));
        }

        private protected override Func<int, bool> GetDependenciesCore(Func<int, bool> activeOutput)
        {
            HashSet<int> needed = [.. ColMapNewToOld.Where(pair => activeOutput(pair.Key)).Select(pair => pair.Value)];
            return needed.Contains;
        }
    }
}
