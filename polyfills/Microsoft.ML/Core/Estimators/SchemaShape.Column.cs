using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

public sealed partial class SchemaShape
{
    /// <summary>What is known of a column.</summary>
    public struct Column
    {
        public readonly string Name;
        public readonly VectorKind Kind;
        public readonly DataViewType ItemType;
        public readonly bool IsKey;
        public readonly SchemaShape Annotations;

        internal Column(string name, VectorKind vecKind, DataViewType itemType, bool isKey, SchemaShape annotations = null)
        {
            Contracts.CheckNonEmpty(name, nameof(name));
            Contracts.CheckParam(itemType is not KeyDataViewType, nameof(itemType), "Item type cannot be a key");
            Contracts.CheckParam(itemType is not VectorDataViewType, nameof(itemType), "Item type cannot be a vector");
            Contracts.CheckParam(!isKey || KeyDataViewType.IsValidDataType(itemType.RawType), nameof(itemType), "Item type cannot hold keys");
            Name = name;
            Kind = vecKind;
            ItemType = itemType;
            IsKey = isKey;
            Annotations = annotations ?? Nothing;
        }

        /// <summary>Scalar, or vector of known or unknown size.</summary>
        public enum VectorKind
        {
            Scalar,
            Vector,
            VariableVector,
        }

        internal bool IsValid => Name != null;

        /// <summary>Whether a column of the given shape does where this one is wanted.</summary>
        internal bool IsCompatibleWith(Column source)
        {
            Contracts.Check(source.IsValid, nameof(source));
            if (Name != source.Name || Kind != source.Kind || !ItemType.Equals(source.ItemType) || IsKey != source.IsKey)
                return false;
            foreach (Column annotation in Annotations)
            {
                if (!source.Annotations.TryFindColumn(annotation.Name, out Column given) || !annotation.IsCompatibleWith(given))
                    return false;
            }

            return true;
        }

        internal string GetTypeString()
        {
            string item = IsKey ? $"Key<{ItemType}>" : ItemType.ToString();
            return Kind switch
            {
                VectorKind.Vector => $"Vector<{item}>",
                VectorKind.VariableVector => $"VarVector<{item}>",
                _ => item,
            };
        }
    }
}
