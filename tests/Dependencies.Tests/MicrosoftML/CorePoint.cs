using Microsoft.ML.Data;

namespace Dependencies.Tests.MicrosoftML;

/// <summary>A value that ML.NET knows nothing of, with its column type and the attribute of members.</summary>
internal sealed class CorePoint
{
    public int X { get; set; }

    public sealed class ColumnType() : StructuredDataViewType(typeof(CorePoint))
    {
        public override bool Equals(DataViewType? other) => other is ColumnType;

        public override bool Equals(object? obj) => obj is ColumnType;

        public override int GetHashCode() => 17;
    }

    public sealed class MemberAttribute : DataViewTypeAttribute
    {
        public override bool Equals(DataViewTypeAttribute? other) => other is MemberAttribute;

        public override bool Equals(object? obj) => obj is MemberAttribute;

        public override int GetHashCode() => 19;

        public override void Register() => DataViewTypeManager.Register(new ColumnType(), typeof(CorePoint), this);
    }
}
